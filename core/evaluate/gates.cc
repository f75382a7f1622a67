#include "core/evaluate/gates.h"

#include <array>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/nearest_name.h"
#include "core/evaluate/gate_metrics.h"

namespace tersor {
namespace {

constexpr absl::string_view kForm =
    "a gate is METRIC OP NUMBER with <=, <, >= or >, such as \"perplexity_ratio <= 1.3\"";

// The longer operators first: "<" begins "<=".
constexpr std::array<std::pair<absl::string_view, GateOperator>, 4> kOperators = {{
    {"<=", GateOperator::kLessOrEqual},
    {">=", GateOperator::kGreaterOrEqual},
    {"<", GateOperator::kLess},
    {">", GateOperator::kGreater},
}};

absl::Status Fault(absl::string_view expression, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("\"", expression, "\": ", what));
}

absl::Status UnknownMetric(absl::string_view expression, absl::string_view metric) {
  if (absl::StartsWith(metric, "task_")) {
    return Fault(expression, absl::StrCat(metric, " needs tasks, and tasks are not served yet"));
  }
  std::vector<std::string> known;
  for (const GateMetricEntry& entry : GateMetricTable()) known.emplace_back(entry.name);
  return Fault(expression, UnknownName("metric", metric, known));
}

// Splits "perplexity[wikitext2]" into its two parts.
absl::Status SetMetric(absl::string_view text, Gate& gate) {
  const size_t bracket = text.find('[');
  gate.metric = std::string(absl::StripAsciiWhitespace(text.substr(0, bracket)));
  if (bracket != absl::string_view::npos) {
    absl::string_view selector = text.substr(bracket + 1);
    if (!absl::ConsumeSuffix(&selector, "]")) return Fault(gate.expression, "the selector's ] is missing");
    gate.selector = std::string(absl::StripAsciiWhitespace(selector));
    if (gate.selector.empty()) return Fault(gate.expression, "the selector in [] is empty");
  }
  if (gate.metric.empty()) return Fault(gate.expression, kForm);
  const GateMetricEntry* entry = FindGateMetric(gate.metric);
  if (entry == nullptr) return UnknownMetric(gate.expression, gate.metric);
  if (!gate.selector.empty() && !entry->per_perplexity) {
    return Fault(gate.expression, absl::StrCat(gate.metric, " takes no selector in []"));
  }
  return absl::OkStatus();
}

bool Holds(GateOperator op, double value, double limit) {
  switch (op) {
    case GateOperator::kLess:
      return value < limit;
    case GateOperator::kLessOrEqual:
      return value <= limit;
    case GateOperator::kGreater:
      return value > limit;
    case GateOperator::kGreaterOrEqual:
      return value >= limit;
  }
  return false;
}

absl::string_view ConventionOf(const v1::PerplexityEvaluation& evaluation) {
  return evaluation.convention().empty() ? absl::string_view("windows") : absl::string_view(evaluation.convention());
}

// Indices of the recipe's perplexities that the gate's selector picks.
std::vector<int> Selected(const Gate& gate, const v1::Recipe& recipe) {
  std::vector<int> selected;
  for (int i = 0; i < recipe.evaluate().perplexity_size(); ++i) {
    const v1::PerplexityEvaluation& evaluation = recipe.evaluate().perplexity(i);
    if (gate.selector.empty() || gate.selector == evaluation.dataset() ||
        gate.selector == absl::StrCat(evaluation.dataset(), ":", ConventionOf(evaluation))) {
      selected.push_back(i);
    }
  }
  return selected;
}

std::string Selectors(const v1::Recipe& recipe) {
  return absl::StrJoin(recipe.evaluate().perplexity(), ", ", [](std::string* out, const auto& evaluation) {
    absl::StrAppend(out, evaluation.dataset(), ":", ConventionOf(evaluation));
  });
}

// "" or what keeps the recipe from answering the gate.
std::string RecipeFault(const Gate& gate, const v1::Recipe& recipe) {
  const GateMetricEntry* metric = FindGateMetric(gate.metric);
  if (const absl::string_view missing = MissingEvaluation(metric->need, recipe); !missing.empty()) {
    return absl::StrCat(gate.metric, " ", missing);
  }
  if (!metric->per_perplexity) return "";
  const size_t matches = Selected(gate, recipe).size();
  if (matches == 1) return "";
  if (matches == 0)
    return absl::StrCat("no perplexity is called \"", gate.selector, "\"; there are ", Selectors(recipe));
  return absl::StrCat("\"", gate.expression, "\" fits ", matches, " perplexities; pick one as ", gate.metric,
                      "[DATASET:CONVENTION] from ", Selectors(recipe));
}

v1::GateResult Inconclusive(v1::GateResult result, std::string reason) {
  result.set_outcome(v1::GATE_OUTCOME_INCONCLUSIVE);
  result.set_reason(std::move(reason));
  return result;
}

}  // namespace

absl::StatusOr<Gate> ParseGate(absl::string_view expression) {
  Gate gate;
  gate.expression = std::string(absl::StripAsciiWhitespace(expression));
  const absl::string_view text = gate.expression;
  // A selector may hold the operators' characters.
  const size_t bracket = text.find(']');
  const size_t at = text.find_first_of("<>", bracket == absl::string_view::npos ? 0 : bracket);
  if (at == absl::string_view::npos) return Fault(text, kForm);
  TERSOR_RETURN_IF_ERROR(SetMetric(absl::StripAsciiWhitespace(text.substr(0, at)), gate));
  absl::string_view rest = text.substr(at);
  for (const auto& [spelling, op] : kOperators) {
    if (!absl::ConsumePrefix(&rest, spelling)) continue;
    gate.op = op;
    break;
  }
  if (!absl::SimpleAtod(absl::StripAsciiWhitespace(rest), &gate.limit) || !std::isfinite(gate.limit)) {
    return Fault(text, absl::StrCat("\"", absl::StripAsciiWhitespace(rest), "\" is not a number; ", kForm));
  }
  return gate;
}

std::vector<FieldViolation> CheckGates(const v1::Recipe& recipe) {
  std::vector<FieldViolation> violations;
  for (int i = 0; i < recipe.gates_size(); ++i) {
    const absl::StatusOr<Gate> gate = ParseGate(recipe.gates(i));
    const std::string fault = gate.ok() ? RecipeFault(*gate, recipe) : std::string(gate.status().message());
    if (!fault.empty()) violations.push_back({absl::StrCat("gates[", i, "]"), fault});
  }
  return violations;
}

std::vector<v1::Warning> GateWarnings(const v1::Recipe& recipe) {
  bool perplexity = false, other = false;
  for (const std::string& expression : recipe.gates()) {
    const absl::StatusOr<Gate> gate = ParseGate(expression);
    if (!gate.ok()) continue;
    const GateNeed need = FindGateMetric(gate->metric)->need;
    perplexity |= need == GateNeed::kPerplexity;
    other |= need == GateNeed::kDivergence;
  }
  if (!perplexity || other) return {};
  v1::Warning warning;
  warning.set_code("PERPLEXITY_ONLY_GATE");
  warning.set_message(
      "perplexity alone misses lost abilities; add a gate on divergence, such as \"kl_mean <= 0.1\" or "
      "\"top1_agreement >= 0.85\"");
  warning.set_where("gates");
  return {warning};
}

v1::GateResult EvaluateGate(const Gate& gate, const v1::Recipe& recipe, const v1::Report& report) {
  v1::GateResult result;
  result.set_expression(gate.expression);
  result.set_metric(gate.metric);
  result.set_limit(gate.limit);
  const GateMetricEntry* metric = FindGateMetric(gate.metric);
  const std::vector<int> selected = Selected(gate, recipe);
  const bool one = !metric->per_perplexity || selected.size() == 1;
  const std::optional<GateFigure> figure =
      one ? metric->read(report, metric->per_perplexity ? selected[0] : 0) : std::nullopt;
  if (!figure.has_value()) return Inconclusive(std::move(result), absl::StrCat(gate.metric, " was not measured"));
  result.set_value(figure->value);
  if (!std::isfinite(figure->value)) {
    result.set_outcome(v1::GATE_OUTCOME_FAIL);
    result.set_reason(absl::StrCat(gate.metric, " is not a finite number"));
    return result;
  }
  const bool holds = Holds(gate.op, figure->value, gate.limit);
  if (Holds(gate.op, figure->low, gate.limit) != Holds(gate.op, figure->high, gate.limit)) {
    return Inconclusive(std::move(result), absl::StrFormat("repeats lie between %.4g and %.4g, on both sides of %g",
                                                           figure->low, figure->high, gate.limit));
  }
  result.set_outcome(holds ? v1::GATE_OUTCOME_PASS : v1::GATE_OUTCOME_FAIL);
  result.set_reason(absl::StrFormat("%s is %.6g", gate.metric, figure->value));
  return result;
}

absl::Status JudgeReport(const v1::Recipe& recipe, v1::Report& report) {
  report.clear_gates();
  bool failed = false, undecided = false;
  for (const std::string& expression : recipe.gates()) {
    TERSOR_ASSIGN_OR_RETURN(const Gate gate, ParseGate(expression));
    const v1::GateResult result = EvaluateGate(gate, recipe, report);
    failed |= result.outcome() == v1::GATE_OUTCOME_FAIL;
    undecided |= result.outcome() == v1::GATE_OUTCOME_INCONCLUSIVE;
    *report.add_gates() = result;
  }
  report.set_verdict(failed ? v1::VERDICT_FAIL : undecided ? v1::VERDICT_INCONCLUSIVE : v1::VERDICT_PASS);
  return absl::OkStatus();
}

std::vector<GateMetric> GateMetrics() {
  std::vector<GateMetric> metrics;
  for (const GateMetricEntry& entry : GateMetricTable()) {
    metrics.push_back({std::string(entry.name), std::string(entry.description)});
  }
  return metrics;
}

}  // namespace tersor
