#include "core/evaluate/gates.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/compare/figure_faults.h"
#include "core/compare/paired_results.h"
#include "core/evaluate/gate_metrics.h"
#include "core/evaluate/gate_selection.h"

namespace tersor {
namespace {

constexpr double kDefaultConfidence = 0.95;

v1::GateResult Undecided(v1::GateResult result, std::string reason) {
  result.set_outcome(v1::GATE_OUTCOME_INCONCLUSIVE);
  result.set_reason(std::move(reason));
  return result;
}

// Of the perplexity that the gate is about; results stand in the recipe's order. Empty where there is none.
std::string PerplexityHash(const Gate& gate, const v1::Recipe& recipe, const ReportSide& after) {
  const std::vector<int> selected = SelectedPerplexities(gate, recipe);
  if (gate.entry->scope != GateScope::kPerplexity || selected.size() != 1) return "";
  int index = selected[0];
  for (const v1::PerplexityResult& result : after.report->perplexity()) {
    if (result.subject() == after.subject && index-- == 0) return result.hash();
  }
  return "";
}

// Fewer decimals than digits: "0.0123", "1.24".
std::string Number(double value, int digits) { return absl::StrFormat("%.*g", digits, value); }

// The fewest digits, from four on, that keep both ends apart from the limit.
int DigitsOf(const Interval& interval, double limit) {
  constexpr int kMostDigits = 12;
  int digits = 4;
  const auto hides = [&](double end) { return end != limit && Number(end, digits) == Number(limit, digits); };
  while (digits < kMostDigits && (hides(interval.low) || hides(interval.high))) ++digits;
  return digits;
}

std::string IntervalText(const Interval& interval, double confidence, const GateFigure& figure, int digits) {
  const auto end = [&](double value) { return std::isinf(value) ? std::string("anything") : Number(value, digits); };
  return absl::StrCat(absl::StrFormat("%.4g", 100 * confidence), " % interval ", end(interval.low), " to ",
                      end(interval.high), " over ", figure.count, " ", figure.unit);
}

// Sets outcome, interval and reason of a figure that is a number.
void Decide(const Gate& gate, const GateFigure& figure, double confidence, v1::GateResult& result) {
  const std::string value = absl::StrFormat("%s is %.6g", gate.metric, figure.value);
  if (!figure.interval.has_value()) {
    result.set_outcome(Holds(gate.op, figure.value, gate.limit) ? v1::GATE_OUTCOME_PASS : v1::GATE_OUTCOME_FAIL);
    result.set_reason(value);
    return;
  }
  if (!figure.shortage.empty()) {
    result.set_count(figure.count);
    result.set_unit(std::string(figure.unit));
    result = Undecided(std::move(result), absl::StrCat(value, ", but ", figure.shortage));
    return;
  }
  Interval interval = *figure.interval;
  if (std::isnan(interval.low) || std::isnan(interval.high)) interval = {};
  result.mutable_interval()->set_low(interval.low);
  result.mutable_interval()->set_high(interval.high);
  result.mutable_interval()->set_confidence(confidence);
  result.set_count(figure.count);
  result.set_unit(std::string(figure.unit));
  const bool low = Holds(gate.op, interval.low, gate.limit), high = Holds(gate.op, interval.high, gate.limit);
  const std::string text = IntervalText(interval, confidence, figure, DigitsOf(interval, gate.limit));
  if (low != high) {
    result.set_outcome(v1::GATE_OUTCOME_INCONCLUSIVE);
    result.set_reason(absl::StrCat(value, ", but ", text, ": on both sides of ", Number(gate.limit, 12)));
    return;
  }
  result.set_outcome(low ? v1::GATE_OUTCOME_PASS : v1::GATE_OUTCOME_FAIL);
  result.set_reason(absl::StrCat(value, " (", text, ")"));
}

}  // namespace

double GateConfidence(const v1::Recipe& recipe) {
  return recipe.gating().has_confidence() ? recipe.gating().confidence() : kDefaultConfidence;
}

bool ExtendsOnInconclusive(const v1::Recipe& recipe) { return recipe.gating().on_inconclusive() == "extend"; }

std::string BaselineOf(const Gate& gate, const v1::Recipe& recipe) {
  if (!gate.entry->comparative) return "";
  return gate.baseline.empty() ? recipe.gating().baseline() : gate.baseline;
}

std::vector<std::string> GateBaselines(const v1::Recipe& recipe) {
  std::vector<std::string> references;
  for (const std::string& expression : recipe.gates()) {
    const absl::StatusOr<Gate> gate = ParseGate(expression);
    const std::string reference = gate.ok() ? BaselineOf(*gate, recipe) : "";
    if (reference.empty() || std::find(references.begin(), references.end(), reference) != references.end()) continue;
    references.push_back(reference);
  }
  return references;
}

v1::GateResult EvaluateGate(const Gate& gate, const v1::Recipe& recipe, const v1::Report& report,
                            const BaselineReports& baselines, double confidence) {
  v1::GateResult result;
  result.set_expression(gate.expression);
  result.set_metric(gate.metric);
  result.set_limit(gate.limit);
  const std::string reference = BaselineOf(gate, recipe);
  ReportSide before = DenseSide(report);
  if (!reference.empty()) {
    const auto it = baselines.find(reference);
    if (it == baselines.end()) return Undecided(result, absl::StrCat("the report of ", reference, " is not here"));
    before = ResultSide(it->second);
    result.set_baseline(it->second.job_id().empty() ? reference : absl::StrCat("job:", it->second.job_id()));
  } else if (gate.entry->comparative) {
    result.set_baseline(std::string(kDenseSubject));
  }
  const ReportSide after = ResultSide(report);
  const std::string hash = PerplexityHash(gate, recipe, after);
  const absl::StatusOr<GateFigure> figure = gate.entry->read(
      {.gate = gate, .perplexity_hash = hash, .after = after, .before = before, .confidence = confidence});
  if (!figure.ok()) return Undecided(result, absl::StrCat(gate.metric, " ", figure.status().message()));
  result.set_value(figure->value);
  if (!std::isfinite(figure->value)) {
    result.set_outcome(v1::GATE_OUTCOME_FAIL);
    result.set_reason(absl::StrCat(gate.metric, " is not a finite number"));
    return result;
  }
  Decide(gate, *figure, confidence, result);
  return result;
}

v1::Verdict VerdictOf(const v1::Report& report) {
  const auto any = [&](v1::GateOutcome outcome) {
    return std::any_of(report.gates().begin(), report.gates().end(),
                       [&](const v1::GateResult& gate) { return gate.outcome() == outcome; });
  };
  if (any(v1::GATE_OUTCOME_FAIL) || !FiguresWithoutNumber(report).empty()) return v1::VERDICT_FAIL;
  return any(v1::GATE_OUTCOME_INCONCLUSIVE) ? v1::VERDICT_INCONCLUSIVE : v1::VERDICT_PASS;
}

absl::Status JudgeReport(const v1::Recipe& recipe, const BaselineReports& baselines, v1::Report& report) {
  const google::protobuf::RepeatedPtrField<v1::GateResult> earlier = report.gates();
  report.clear_gates();
  const double confidence = GateConfidence(recipe);
  for (const std::string& expression : recipe.gates()) {
    TERSOR_ASSIGN_OR_RETURN(const Gate gate, ParseGate(expression));
    const auto looked = std::find_if(earlier.begin(), earlier.end(), [&](const v1::GateResult& result) {
      return result.expression() == gate.expression && result.looks_size() > 0;
    });
    *report.add_gates() = looked != earlier.end() ? *looked : EvaluateGate(gate, recipe, report, baselines, confidence);
  }
  report.set_verdict(VerdictOf(report));
  report.clear_task_comparisons();
  report.clear_perplexity_comparisons();
  const ReportSide before = DenseSide(report), after = ResultSide(report);
  if (before.subject == after.subject) return absl::OkStatus();
  for (v1::TaskComparison& task : CompareTasks(before, after, kDenseSubject, confidence)) {
    *report.add_task_comparisons() = std::move(task);
  }
  for (v1::PerplexityComparison& perplexity : ComparePerplexities(before, after, kDenseSubject, confidence)) {
    *report.add_perplexity_comparisons() = std::move(perplexity);
  }
  return absl::OkStatus();
}

}  // namespace tersor
