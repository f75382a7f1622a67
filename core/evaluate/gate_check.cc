// What is wrong with a recipe's gates before anything is measured.
#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/nearest_name.h"
#include "core/base/warning.h"
#include "core/compare/baseline_reference.h"
#include "core/evaluate/gate_looks.h"
#include "core/evaluate/gate_metrics.h"
#include "core/evaluate/gate_selection.h"
#include "core/evaluate/gates.h"
#include "core/evaluate/performance.h"
#include "core/evaluate/speedup.h"

namespace tersor {
namespace {

std::string Selectors(const v1::Recipe& recipe) {
  return absl::StrJoin(recipe.evaluate().perplexity(), ", ", [](std::string* out, const auto& evaluation) {
    absl::StrAppend(out, evaluation.dataset(), ":", ConventionOf(evaluation));
  });
}

std::string PerplexityFault(const Gate& gate, const v1::Recipe& recipe) {
  const size_t matches = SelectedPerplexities(gate, recipe).size();
  if (matches == 1) return "";
  if (matches == 0)
    return absl::StrCat("no perplexity is called \"", gate.selector, "\"; there are ", Selectors(recipe));
  return absl::StrCat("\"", gate.expression, "\" fits ", matches, " perplexities; pick one as ", gate.metric,
                      "[DATASET:CONVENTION] from ", Selectors(recipe));
}

// Which tasks a suite has is known once its file is read.
std::string TaskFault(const Gate& gate, const v1::Recipe& recipe) {
  if (recipe.evaluate().has_suite()) return "";
  std::vector<std::string> names;
  for (const v1::TaskEvaluation& task : recipe.evaluate().tasks()) names.push_back(task.name());
  if (std::find(names.begin(), names.end(), gate.subject) != names.end()) return "";
  return absl::StrCat("the recipe does not evaluate it: ", UnknownName("task", gate.subject, names));
}

// "" or what keeps the recipe from answering the gate.
std::string RecipeFault(const Gate& gate, const v1::Recipe& recipe) {
  if (const absl::string_view missing = MissingEvaluation(gate.entry->need, recipe); !missing.empty()) {
    return absl::StrCat(gate.metric, " ", missing);
  }
  if (gate.entry->scope == GateScope::kPerplexity) return PerplexityFault(gate, recipe);
  if (gate.entry->scope == GateScope::kTask) return TaskFault(gate, recipe);
  return "";
}

void CheckGating(const v1::GatePolicy& gating, std::vector<FieldViolation>& violations) {
  constexpr std::array<absl::string_view, 4> kPolicies = {"", "fail", "pass", "extend"};
  if (gating.has_confidence() && !(gating.confidence() >= 0.5 && gating.confidence() <= 0.9999)) {
    violations.push_back(
        {"gating.confidence", absl::StrCat("is ", gating.confidence(), "; it lies between 0.5 and 0.9999")});
  }
  if (std::find(kPolicies.begin(), kPolicies.end(), gating.on_inconclusive()) == kPolicies.end()) {
    violations.push_back(
        {"gating.on_inconclusive", UnknownName("policy", gating.on_inconclusive(), {"fail", "pass", "extend"})});
  }
  if (gating.baseline().empty()) return;
  if (const absl::Status reference = ParseBaselineReference(gating.baseline()).status(); !reference.ok()) {
    violations.push_back({"gating.baseline", std::string(reference.message())});
  }
}

}  // namespace

std::vector<FieldViolation> CheckGates(const v1::Recipe& recipe) {
  std::vector<FieldViolation> violations;
  for (int i = 0; i < recipe.gates_size(); ++i) {
    const absl::StatusOr<Gate> gate = ParseGate(recipe.gates(i));
    const std::string fault = gate.ok() ? RecipeFault(*gate, recipe) : std::string(gate.status().message());
    if (!fault.empty()) violations.push_back({absl::StrCat("gates[", i, "]"), fault});
  }
  CheckGating(recipe.gating(), violations);
  return violations;
}

namespace {

// PERPLEXITY_ONLY_GATE where perplexity is all that the gates look at.
void WarnOfPerplexityAlone(const v1::Recipe& recipe, std::vector<v1::Warning>& warnings) {
  bool perplexity = false, other = false;
  for (const std::string& expression : recipe.gates()) {
    const absl::StatusOr<Gate> gate = ParseGate(expression);
    if (!gate.ok()) continue;
    const GateNeed need = gate->entry->need;
    perplexity |= need == GateNeed::kPerplexity;
    other |= need == GateNeed::kDivergence || need == GateNeed::kTasks || need == GateNeed::kSuite;
  }
  if (!perplexity || other) return;
  warnings.push_back(MakeWarning(
      "PERPLEXITY_ONLY_GATE",
      "perplexity alone misses lost abilities; add a gate on tasks, such as \"task_accuracy_drop <= 0.02\", or on "
      "divergence, such as \"kl_mean <= 0.1\" or \"top1_agreement >= 0.85\"",
      "gates"));
}

// FEW_REPEATS where a gate on a speedup rests on too few rounds for its confidence.
void WarnOfFewRepeats(const v1::Recipe& recipe, std::vector<v1::Warning>& warnings) {
  const int repeats = ResolvePerformance(recipe.evaluate().performance(), 1).repeats;
  const std::string text = FewRepeatsText(repeats, GateConfidence(recipe));
  if (text.empty()) return;
  for (const std::string& expression : recipe.gates()) {
    const absl::StatusOr<Gate> gate = ParseGate(expression);
    if (!gate.ok() || gate->entry->need != GateNeed::kPerformance) continue;
    warnings.push_back(
        MakeWarning("FEW_REPEATS", absl::StrCat("\"", expression, "\" ", text), "evaluate.performance.repeats"));
  }
}

}  // namespace

std::vector<v1::Warning> GateWarnings(const v1::Recipe& recipe) {
  std::vector<v1::Warning> warnings;
  WarnOfPerplexityAlone(recipe, warnings);
  WarnOfFewRepeats(recipe, warnings);
  if (ExtendsOnInconclusive(recipe) && !ExtendsTasks(recipe) && ExtendableTexts(recipe).empty()) {
    warnings.push_back(MakeWarning(
        "NOTHING_TO_EXTEND",
        "on_inconclusive is \"extend\", but no gate rests on tasks, which have further items, or on a text that "
        "max_windows limits",
        "gating.on_inconclusive"));
  }
  return warnings;
}

std::vector<GateMetric> GateMetrics() {
  std::vector<GateMetric> metrics;
  for (const GateMetricEntry& entry : GateMetricTable()) {
    metrics.push_back({std::string(entry.name), std::string(entry.description)});
  }
  return metrics;
}

}  // namespace tersor
