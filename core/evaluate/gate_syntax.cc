#include "core/evaluate/gate_syntax.h"

#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/nearest_name.h"
#include "core/compare/baseline_reference.h"
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
  std::vector<std::string> known;
  for (const GateMetricEntry& entry : GateMetricTable()) known.emplace_back(entry.name);
  return Fault(expression, UnknownName("metric", metric, known));
}

// Splits "task.NAME", "task.NAME.METRIC_drop" and "ability.NAME_drop" and finds their entry; null where it is neither.
const GateMetricEntry* FindNamed(absl::string_view metric, Gate& gate) {
  absl::string_view rest = metric;
  const bool task = absl::ConsumePrefix(&rest, "task."), ability = !task && absl::ConsumePrefix(&rest, "ability.");
  if (!task && !ability) return nullptr;
  const bool drop = absl::ConsumeSuffix(&rest, "_drop");
  if (ability && !drop) return nullptr;
  const size_t dot = task ? rest.find('.') : absl::string_view::npos;
  gate.subject = std::string(rest.substr(0, dot));
  if (dot != absl::string_view::npos) gate.task_metric = std::string(rest.substr(dot + 1));
  if (gate.subject.empty() || (dot != absl::string_view::npos && gate.task_metric.empty())) return nullptr;
  return FindGateMetric(ability ? "ability.NAME_drop" : drop ? "task.NAME_drop" : "task.NAME");
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
  gate.entry = FindNamed(gate.metric, gate);
  if (gate.entry == nullptr) gate.entry = FindGateMetric(gate.metric);
  if (gate.entry == nullptr || (gate.entry->named() && gate.subject.empty())) {
    return UnknownMetric(gate.expression, gate.metric);
  }
  if (!gate.selector.empty() && gate.entry->scope != GateScope::kPerplexity) {
    return Fault(gate.expression, absl::StrCat(gate.metric, " takes no selector in []"));
  }
  return absl::OkStatus();
}

// Takes " vs REFERENCE" off the end of `rest`.
absl::Status SetBaseline(absl::string_view& rest, Gate& gate) {
  constexpr absl::string_view kVersus = " vs ";
  const size_t at = rest.find(kVersus);
  if (at == absl::string_view::npos) return absl::OkStatus();
  gate.baseline = std::string(absl::StripAsciiWhitespace(rest.substr(at + kVersus.size())));
  rest = rest.substr(0, at);
  if (const absl::Status reference = ParseBaselineReference(gate.baseline).status(); !reference.ok()) {
    return Fault(gate.expression, reference.message());
  }
  if (gate.entry->comparative) return absl::OkStatus();
  return Fault(gate.expression, absl::StrCat(gate.metric, " is not compared with another job"));
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
  TERSOR_RETURN_IF_ERROR(SetBaseline(rest, gate));
  if (!absl::SimpleAtod(absl::StripAsciiWhitespace(rest), &gate.limit) || !std::isfinite(gate.limit)) {
    return Fault(text, absl::StrCat("\"", absl::StripAsciiWhitespace(rest), "\" is not a number; ", kForm));
  }
  return gate;
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

}  // namespace tersor
