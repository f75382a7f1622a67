#include "core/evaluate/gate_metrics.h"

#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/compare/mean_drop.h"
#include "core/compare/paired_results.h"
#include "core/evaluate/speedup.h"

namespace tersor {
namespace {

using Figure = absl::StatusOr<GateFigure>;

constexpr absl::string_view kItems = "items";
constexpr absl::string_view kBlocks = "blocks of text";
constexpr absl::string_view kRounds = "rounds";

absl::Status NotMeasured() { return absl::NotFoundError("was not measured"); }

Interval FromMessage(const v1::Interval& interval) { return {interval.low(), interval.high()}; }

Figure Perplexity(const GateInput& input) {
  const v1::PerplexityResult* result = input.after.Perplexity(input.perplexity_hash);
  if (result == nullptr) return NotMeasured();
  return GateFigure{.value = result->value()};
}

Figure PerplexityRatio(const GateInput& input) {
  const v1::PerplexityResult* before = input.before.Perplexity(input.perplexity_hash);
  const v1::PerplexityResult* after = input.after.Perplexity(input.perplexity_hash);
  if (after == nullptr || after == before) return NotMeasured();
  if (before == nullptr) return absl::NotFoundError("has no baseline under the same protocol");
  TERSOR_ASSIGN_OR_RETURN(const v1::PerplexityComparison comparison,
                          ComparePerplexity(*before, *after, input.confidence));
  return GateFigure{.value = comparison.ratio(),
                    .interval = FromMessage(comparison.interval()),
                    .count = comparison.blocks(),
                    .unit = kBlocks};
}

using v1::DivergenceResult;

template <double (DivergenceResult::*kValue)() const, bool (DivergenceResult::*kHas)() const,
          const v1::Interval& (DivergenceResult::*kInterval)() const>
Figure FromDivergence(const GateInput& input) {
  if (!input.after.report->has_divergence()) return NotMeasured();
  const DivergenceResult& divergence = input.after.report->divergence();
  GateFigure figure = {
      .value = (divergence.*kValue)(), .interval = Interval(), .count = divergence.blocks(), .unit = kBlocks};
  if ((divergence.*kHas)()) figure.interval = FromMessage((divergence.*kInterval)());
  return figure;
}

template <double (v1::SizeResult::*kField)() const>
Figure FromSize(const GateInput& input) {
  if (!input.after.report->has_size()) return NotMeasured();
  return GateFigure{.value = (input.after.report->size().*kField)()};
}

Figure Speedup(const GateInput& input, absl::string_view kind) {
  for (const v1::SpeedupResult& speedup : input.after.report->speedups()) {
    if (speedup.kind() != kind) continue;
    GateFigure figure = {.value = speedup.value(), .count = speedup.rounds(), .unit = kRounds};
    figure.interval = SpeedupInterval(speedup, input.confidence);
    if (speedup.rounds() < kFewestSpeedupRounds) {
      figure.shortage = absl::StrCat("one round has no interval: it needs at least ", kFewestSpeedupRounds,
                                     " repeats (evaluate.performance.repeats)");
    }
    return figure;
  }
  return NotMeasured();
}

Figure DecodeSpeedup(const GateInput& input) { return Speedup(input, "decode"); }
Figure PrefillSpeedup(const GateInput& input) { return Speedup(input, "prefill"); }

Figure TaskScore(const GateInput& input) {
  const v1::TaskResult* task = input.after.Task(input.gate.subject);
  if (task == nullptr) return NotMeasured();
  const v1::TaskResult::Metric* metric = FindMetric(*task, input.gate.task_metric);
  if (metric == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("was not measured: ", task->task(), " has no \"", input.gate.task_metric, "\""));
  }
  return GateFigure{.value = metric->value(),
                    .interval = ScoreInterval(*task, *metric, input.confidence),
                    .count = task->items_size(),
                    .unit = kItems};
}

Figure TaskDrop(const GateInput& input) {
  TERSOR_ASSIGN_OR_RETURN(
      const v1::TaskComparison comparison,
      DropOfTask(input.before, input.after.Task(input.gate.subject), input.gate.task_metric, input.confidence));
  return GateFigure{.value = comparison.drop(),
                    .interval = FromMessage(comparison.interval()),
                    .count = comparison.items(),
                    .unit = kItems};
}

Figure Mean(const GateInput& input, absl::string_view ability) {
  TERSOR_ASSIGN_OR_RETURN(const MeanDrop mean, MeanDropOf(input.before, input.after, ability, input.confidence));
  return GateFigure{.value = mean.drop, .interval = mean.interval, .count = mean.items, .unit = kItems};
}

Figure AccuracyDrop(const GateInput& input) { return Mean(input, ""); }
Figure AbilityDrop(const GateInput& input) { return Mean(input, input.gate.subject); }

using v1::SizeResult;

constexpr std::array<GateMetricEntry, 15> kMetrics = {{
    {"perplexity_ratio", "perplexity compressed / dense", GateNeed::kPerplexity, GateScope::kPerplexity, true,
     PerplexityRatio},
    {"perplexity", "perplexity of the compressed model", GateNeed::kPerplexity, GateScope::kPerplexity, false,
     Perplexity},
    {"kl_mean", "mean KL(dense || compressed), nats per token", GateNeed::kDivergence, GateScope::kWhole, false,
     FromDivergence<&DivergenceResult::kl_mean, &DivergenceResult::has_kl_mean_interval,
                    &DivergenceResult::kl_mean_interval>},
    {"kl_p50", "median KL per token", GateNeed::kDivergence, GateScope::kWhole, false,
     FromDivergence<&DivergenceResult::kl_p50, &DivergenceResult::has_kl_p50_interval,
                    &DivergenceResult::kl_p50_interval>},
    {"kl_p99", "99th percentile of KL per token", GateNeed::kDivergence, GateScope::kWhole, false,
     FromDivergence<&DivergenceResult::kl_p99, &DivergenceResult::has_kl_p99_interval,
                    &DivergenceResult::kl_p99_interval>},
    {"top1_agreement", "share of tokens with the same most likely next token, 0 to 1", GateNeed::kDivergence,
     GateScope::kWhole, false,
     FromDivergence<&DivergenceResult::top1_agreement, &DivergenceResult::has_top1_agreement_interval,
                    &DivergenceResult::top1_agreement_interval>},
    {"task_accuracy_drop", "main metric dense - compressed, mean over the tasks", GateNeed::kTasks, GateScope::kWhole,
     true, AccuracyDrop},
    {"task.NAME_drop", "one task's main metric dense - compressed; task.NAME.METRIC_drop: another of its metrics",
     GateNeed::kTasks, GateScope::kTask, true, TaskDrop},
    {"task.NAME", "the compressed model's score; task.NAME.METRIC: another of its metrics", GateNeed::kTasks,
     GateScope::kTask, false, TaskScore},
    {"ability.NAME_drop", "main metric dense - compressed, mean over the ability's tasks", GateNeed::kSuite,
     GateScope::kAbility, true, AbilityDrop},
    {"size_ratio", "dense bytes at 16 bits per parameter / bytes of the container", GateNeed::kNothing,
     GateScope::kWhole, false, FromSize<&SizeResult::ratio>},
    {"blocks_size_ratio", "size_ratio of the blocks alone, without embedding and head", GateNeed::kNothing,
     GateScope::kWhole, false, FromSize<&SizeResult::blocks_ratio>},
    {"decode_speedup", "decode tokens/s compressed / dense", GateNeed::kPerformance, GateScope::kWhole, false,
     DecodeSpeedup},
    {"prefill_speedup", "prefill tokens/s compressed / dense", GateNeed::kPerformance, GateScope::kWhole, false,
     PrefillSpeedup},
    {"true_bits", "bits per weight of the compressed layers, scales and zero points included", GateNeed::kNothing,
     GateScope::kWhole, false, FromSize<&SizeResult::true_bits>},
}};

}  // namespace

std::span<const GateMetricEntry> GateMetricTable() { return kMetrics; }

const GateMetricEntry* FindGateMetric(absl::string_view name) {
  for (const GateMetricEntry& metric : kMetrics) {
    if (metric.name == name) return &metric;
  }
  return nullptr;
}

absl::string_view MissingEvaluation(GateNeed need, const v1::Recipe& recipe) {
  const v1::Evaluation& evaluate = recipe.evaluate();
  const bool divergence_off = evaluate.divergence().has_enabled() && !evaluate.divergence().enabled();
  switch (need) {
    case GateNeed::kNothing:
      return "";
    case GateNeed::kPerplexity:
      return evaluate.perplexity().empty() ? "needs evaluate.perplexity, which the recipe does not have" : "";
    case GateNeed::kDivergence:
      if (divergence_off) return "needs evaluate.divergence, which the recipe switches off";
      return evaluate.perplexity().empty()
                 ? "needs evaluate.perplexity: divergence is measured on the tokens of the first one"
                 : "";
    case GateNeed::kPerformance:
      return evaluate.has_performance() ? "" : "needs evaluate.performance, which the recipe does not have";
    case GateNeed::kTasks:
      return evaluate.tasks().empty() && !evaluate.has_suite()
                 ? "needs evaluate.tasks or evaluate.suite, which the recipe does not have"
                 : "";
    case GateNeed::kSuite:
      return evaluate.has_suite() ? "" : "needs evaluate.suite: suites say which tasks an ability has";
  }
  return "";
}

}  // namespace tersor
