#include "core/pipeline/stage_warnings.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/warning.h"
#include "core/compress/layer_filter.h"
#include "core/compress/resolved_stages.h"

namespace tersor {
namespace {

// Whether a layer's rounding is solved for by the products of its inputs.
bool Solves(const Method& method) {
  const std::set<Statistic> wanted = method.statistics();
  return wanted.contains(Statistic::kSecondMoment) || wanted.contains(Statistic::kDenseMoment);
}

void WarnOfSkipped(const ResolvedStage& stage, int index, size_t layers, std::vector<v1::Warning>& warnings) {
  if (!stage.layers.empty()) return;
  warnings.push_back(
      MakeWarning("ALL_LAYERS_SKIPPED",
                  absl::StrCat("`skip` leaves none of the model's ", layers, " linear layers: the stage changes ",
                               stage.head.has_value() ? "the head alone" : "nothing"),
                  absl::StrCat("stages[", index, "].", stage.family, ".skip")));
}

void WarnOfFewTokens(const ResolvedStage& stage, int64_t tokens, std::vector<v1::Warning>& warnings) {
  if (!Solves(*stage.method) || stage.layers.empty()) return;
  const auto widest = std::max_element(stage.layers.begin(), stage.layers.end(),
                                       [](const LinearLayer& a, const LinearLayer& b) { return a.inputs < b.inputs; });
  if (widest->inputs <= tokens) return;
  warnings.push_back(MakeWarning(
      "FEW_CALIBRATION_TOKENS",
      absl::StrCat(stage.method->name(), " solves for the ", widest->inputs, " inputs of ", widest->name, " with ",
                   tokens,
                   " tokens of calibration text: fewer tokens than inputs fit these tokens and nothing else; "
                   "raise calibration.samples or calibration.tokens to several times as many tokens as inputs"),
      "calibration"));
}

}  // namespace

std::vector<v1::Warning> StageWarnings(const v1::Recipe& recipe, const Model& model, int64_t tokens) {
  std::vector<v1::Warning> warnings;
  std::vector<FieldViolation> violations;
  const std::vector<ResolvedStage> stages = ResolveStages(model, recipe, violations);
  if (!violations.empty()) return warnings;
  bool reads_text = false;
  for (size_t i = 0; i < stages.size(); ++i) {
    WarnOfSkipped(stages[i], static_cast<int>(i), LinearLayersOf(model).size(), warnings);
    WarnOfFewTokens(stages[i], tokens, warnings);
    reads_text |= stages[i].method->reads_text() && !stages[i].layers.empty();
  }
  if (reads_text && recipe.calibration().samples() == 1) {
    warnings.push_back(MakeWarning(
        "SINGLE_CALIBRATION_SAMPLE",
        "one sequence is one place of one text: what is compressed is fitted to its subject; take several (16 unless "
        "the recipe says otherwise)",
        "calibration.samples"));
  }
  return warnings;
}

}  // namespace tersor
