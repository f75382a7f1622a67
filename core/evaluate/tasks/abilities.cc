#include "core/evaluate/tasks/abilities.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/warning.h"
#include "core/compare/mean_drop.h"
#include "core/compare/report_side.h"
#include "core/evaluate/tasks/metric_registry.h"
#include "core/evaluate/tasks/task_definition.h"

namespace tersor {
namespace {

constexpr double kOneSided95 = 1.644854;
// A perplexity that rose by less is what people take for unharmed.
constexpr double kHarmlessRatio = 1.15;

// What answering at random scores: of means over items with choices one over their number, of others nothing.
double ChanceOf(const v1::TaskResult& task, const std::string& metric) {
  const TaskMetric* known = FindTaskMetric(metric);
  if (known == nullptr || !known->is_mean() || !known->Serves(v1::TASK_SCORER_CHOICES)) return 0;
  if (task.items().empty()) return 0;
  double chance = 0;
  for (const v1::TaskResult::Item& item : task.items()) {
    if (item.loglikelihoods_size() > 1) chance += 1.0 / item.loglikelihoods_size();
  }
  return chance / task.items_size();
}

std::string Points(double share) { return absl::StrFormat("%.1f", 100 * share); }

// "lost less than 5.0 points (95 %: -1.2 to 3.4 points on 400 items)".
void Judge(double dense_margin, double dense_error, absl::string_view look, v1::AbilityResult& result) {
  const std::string interval =
      absl::StrCat(absl::StrFormat("%.4g %%", 100 * result.confidence()), look, ": ", Points(result.low()), " to ",
                   Points(result.high()), " points on ", result.items(), " items");
  if (dense_margin <= kOneSided95 * dense_error) {
    result.set_outcome(v1::ABILITY_OUTCOME_NOT_MEASURABLE);
    result.set_reason("the dense model itself does no better than chance on these items");
  } else if (result.high() <= kAbilityTolerance) {
    result.set_outcome(v1::ABILITY_OUTCOME_KEPT);
    result.set_reason(absl::StrCat("lost less than ", Points(kAbilityTolerance), " points (", interval, ")"));
  } else if (result.low() > 0) {
    result.set_outcome(v1::ABILITY_OUTCOME_DAMAGED);
    result.set_reason(absl::StrCat("lost ", Points(result.drop()), " points (", interval, ")"));
  } else {
    result.set_outcome(v1::ABILITY_OUTCOME_UNDECIDED);
    result.set_reason(absl::StrCat("a loss of ", Points(result.high()), " points cannot be excluded (", interval, ")"));
  }
}

// The gate on this very drop that looked at it most often; null where there is none.
const v1::GateResult* LookedAt(const v1::Report& report, const std::string& ability) {
  const v1::GateResult* most = nullptr;
  for (const v1::GateResult& gate : report.gates()) {
    const bool same = gate.metric() == absl::StrCat("ability.", ability, "_drop") && gate.baseline() == kDenseSubject;
    if (!same || gate.looks_size() < 2) continue;
    if (most == nullptr || gate.looks_size() > most->looks_size()) most = &gate;
  }
  return most;
}

void SetDrop(const MeanDrop& mean, double confidence, v1::AbilityResult& result) {
  result.set_drop(mean.drop);
  result.set_low(mean.interval.low);
  result.set_high(mean.interval.high);
  result.set_items(mean.items);
  result.set_confidence(confidence);
}

// Several looks have a wider interval, and what was decided at one of them stays so.
std::string SetLook(const v1::GateResult& gate, v1::AbilityResult& result) {
  result.set_drop(gate.value());
  result.set_low(gate.interval().low());
  result.set_high(gate.interval().high());
  result.set_items(gate.count());
  result.set_confidence(gate.interval().confidence());
  return absl::StrCat(", look ", gate.looks_size());
}

v1::AbilityResult Summarize(const v1::Report& report, const std::string& ability, const MeanDrop& mean,
                            double confidence) {
  v1::AbilityResult result;
  result.set_ability(ability);
  result.set_tolerance(kAbilityTolerance);
  result.set_standard_error(mean.standard_error);
  const double weight = 1.0 / static_cast<double>(mean.tasks.size());
  double chance = 0, variance = 0;
  const ReportSide dense = DenseSide(report);
  for (const v1::TaskResult& task : report.tasks()) {
    if (task.subject() != kCompressedSubject || task.ability() != ability) continue;
    const v1::TaskResult::Metric* after = FindMetric(task, "");
    const v1::TaskResult* original = dense.Task(task.task(), task.hash());
    if (after == nullptr || !after->higher_is_better() || original == nullptr) continue;
    const v1::TaskResult::Metric* before = FindMetric(*original, after->name());
    if (before == nullptr) continue;
    result.add_tasks(task.task());
    result.set_dense(result.dense() + weight * before->value());
    result.set_compressed(result.compressed() + weight * after->value());
    chance += weight * ChanceOf(*original, before->name());
    variance += weight * weight * before->standard_error() * before->standard_error();
  }
  SetDrop(mean, confidence, result);
  const v1::GateResult* looked = LookedAt(report, ability);
  const std::string look = looked == nullptr ? "" : SetLook(*looked, result);
  Judge(result.dense() - chance, std::sqrt(variance), look, result);
  return result;
}

// compressed / dense of the first perplexity that has both; 0 where none has.
double PerplexityRatio(const v1::Report& report) {
  for (const v1::PerplexityResult& dense : report.perplexity()) {
    for (const v1::PerplexityResult& other : report.perplexity()) {
      if (dense.subject() == "dense" && other.subject() == "compressed" && other.hash() == dense.hash()) {
        return other.value() / dense.value();
      }
    }
  }
  return 0;
}

}  // namespace

std::vector<v1::AbilityResult> SummarizeAbilities(const v1::Report& report, double confidence) {
  std::vector<v1::AbilityResult> results;
  const ReportSide after = {&report, kCompressedSubject};
  for (const std::string& ability : AbilityNames()) {
    const absl::StatusOr<MeanDrop> mean = MeanDropOf(DenseSide(report), after, ability, confidence);
    if (mean.ok()) results.push_back(Summarize(report, ability, *mean, confidence));
  }
  return results;
}

std::vector<v1::Warning> AbilityWarnings(const v1::Report& report) {
  const double ratio = PerplexityRatio(report);
  std::vector<v1::Warning> warnings;
  for (const v1::AbilityResult& ability : report.abilities()) {
    if (ability.outcome() != v1::ABILITY_OUTCOME_DAMAGED || ratio <= 0 || ratio > kHarmlessRatio) continue;
    warnings.push_back(MakeWarning("PERPLEXITY_HIDES_DAMAGE",
                                   absl::StrCat("perplexity rose by ", Points(ratio - 1), " % only, but ",
                                                ability.ability(), " ", ability.reason()),
                                   ability.ability()));
  }
  return warnings;
}

}  // namespace tersor
