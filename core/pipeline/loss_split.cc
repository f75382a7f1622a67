#include "core/pipeline/loss_split.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/input_format_tensor.h"
#include "core/evaluate/kv_cache_cost.h"
#include "core/model/fold_group.h"
#include "core/pipeline/stage_list.h"

namespace tersor {
namespace {

constexpr absl::string_view kStagePrefix = "evaluate:loss:";
// A row whose length rounding alone would not change by so much (natural logarithm) was scaled.
constexpr double kScaled = 0.2;

bool HasInputFormat(const Model& model) {
  return std::any_of(model.parameters.begin(), model.parameters.end(),
                     [](const auto& entry) { return entry.second->input_format() != nullptr; });
}

// By how much each output of the group's maker was divided; empty where it was not.
std::vector<float> ScalesOf(const FoldGroup& group, const std::vector<float>& before, const std::vector<float>& after) {
  if (before.size() != after.size() || before.size() % static_cast<size_t>(group.outputs) != 0) return {};
  const size_t width = before.size() / static_cast<size_t>(group.outputs);
  std::vector<float> scales(static_cast<size_t>(group.outputs), 1.0f);
  double largest = 0;
  for (size_t output = 0; output < scales.size(); ++output) {
    double both = 0, own = 0;
    for (size_t i = output * width; i < (output + 1) * width; ++i) {
      both += static_cast<double>(before[i]) * after[i];
      own += static_cast<double>(before[i]) * before[i];
    }
    if (own <= 0 || both <= 0) continue;
    scales[output] = static_cast<float>(own / both);
    largest = std::max(largest, std::abs(std::log(own / both)));
  }
  // Norms are stored in float: any difference is a scale.
  return largest > (group.is_norm ? 0 : kScaled) ? scales : std::vector<float>();
}

absl::Status FoldAsIn(const Model& compressed, Model& model) {
  for (size_t block = 0; block < model.spec.layers.size(); ++block) {
    for (const FoldGroup& group : FoldGroupsOf(model, static_cast<int>(block))) {
      TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr before, model.Find(group.maker));
      TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr after, compressed.Find(group.maker));
      const std::vector<float> scales = ScalesOf(group, before->Decode(), after->Decode());
      if (!scales.empty()) TERSOR_RETURN_IF_ERROR(FoldScales(group, scales, model));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Model> OnlyActivations(const Model& dense, const Model& compressed) {
  Model model = dense;
  TERSOR_RETURN_IF_ERROR(FoldAsIn(compressed, model));
  for (const auto& [name, tensor] : compressed.parameters) {
    if (tensor->input_format() == nullptr) continue;
    // An untied head reads what a tied one reads.
    const bool own_head = name == kHeadName && model.parameters.count(name) == 0;
    TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr weight, own_head ? model.Head() : model.Find(name));
    if (own_head) model.spec.tied = false;
    TERSOR_ASSIGN_OR_RETURN(model.parameters[name],
                            InputFormatTensor::Create(weight, ActivationFormatPtr(tensor, tensor->input_format())));
  }
  return model;
}

const v1::PerplexityResult* FirstOf(const v1::Report& report, absl::string_view subject) {
  for (const v1::PerplexityResult& result : report.perplexity()) {
    if (result.subject() == subject) return &result;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> SplitParts(const v1::Recipe& recipe, const Model& given, bool foreign,
                                    const PlannedEncodings& encodings) {
  const v1::Evaluation& evaluate = recipe.evaluate();
  const bool wanted = !evaluate.has_loss_split() || evaluate.loss_split();
  if (!wanted || evaluate.perplexity_size() == 0 || !Compresses(recipe)) return {};
  std::vector<std::string> parts;
  if (!encodings.empty() || foreign) parts.emplace_back(kWeightsPart);
  const bool inputs = std::any_of(encodings.begin(), encodings.end(),
                                  [](const auto& entry) { return !entry.second.input_format.empty(); });
  if (inputs || (foreign && HasInputFormat(given))) parts.emplace_back(kActivationsPart);
  if (recipe.has_kv()) parts.emplace_back(kKvPart);
  return parts.size() > 1 ? parts : std::vector<std::string>();
}

std::string LossStageName(absl::string_view part) { return absl::StrCat(kStagePrefix, part); }

std::string PartOfStage(absl::string_view stage) {
  return absl::ConsumePrefix(&stage, kStagePrefix) ? std::string(stage) : std::string();
}

absl::StatusOr<Model> OnlyPart(const Model& dense, const Model& compressed, absl::string_view part) {
  if (part == kActivationsPart) return OnlyActivations(dense, compressed);
  if (part == kKvPart) {
    Model model = dense;
    model.kv_format = compressed.kv_format;
    return model;
  }
  Model model = compressed;
  model.kv_format = {};
  for (auto& [name, tensor] : model.parameters) {
    if (tensor->input_format() != nullptr) tensor = EncodedTensorPtr(tensor, &tensor->weight());
  }
  return model;
}

void AddLossShare(absl::string_view part, double perplexity, v1::Report& report) {
  const v1::PerplexityResult* dense = FirstOf(report, "dense");
  const v1::PerplexityResult* compressed = FirstOf(report, "compressed");
  const auto add = [&](absl::string_view name, double value) {
    v1::LossShare* share = report.add_loss_split();
    share->set_part(std::string(name));
    share->set_perplexity(value);
    if (dense != nullptr && dense->value() > 0) share->set_ratio(value / dense->value());
  };
  if (report.loss_split().empty() && compressed != nullptr) add("all", compressed->value());
  add(part, perplexity);
}

}  // namespace tersor
