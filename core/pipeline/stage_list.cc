#include "core/pipeline/stage_list.h"

#include "absl/strings/str_cat.h"

namespace tersor {

std::string DenseStageName(int perplexity) { return absl::StrCat("evaluate:dense:", perplexity); }

std::string CompressedStageName(int perplexity) { return absl::StrCat("evaluate:compressed:", perplexity); }

std::string BaselineModelStageName(int perplexity) { return absl::StrCat("evaluate:baseline_model:", perplexity); }

std::string TaskLabel(const LoadedTask& task) {
  const bool usual = task.few_shot == task.definition.few_shot().count();
  return absl::StrCat(task.definition.name(), usual ? "" : absl::StrCat(":", task.few_shot, "shot"),
                      task.chat_template ? ":chat" : "");
}

std::string TaskStageName(absl::string_view subject, const LoadedTask& task) {
  return absl::StrCat("evaluate:", subject, ":task:", TaskLabel(task));
}

std::string ExportStageName(const std::string& format) { return absl::StrCat("export:", format); }

bool Compresses(const v1::Recipe& recipe) {
  return recipe.stages_size() > 0 || recipe.has_kv() || !recipe.evaluate().original().empty();
}

bool MeasuresDivergence(const v1::Recipe& recipe) {
  const v1::Evaluation& evaluate = recipe.evaluate();
  const bool wanted = !evaluate.divergence().has_enabled() || evaluate.divergence().enabled();
  return wanted && Compresses(recipe) && evaluate.perplexity_size() > 0;
}

}  // namespace tersor
