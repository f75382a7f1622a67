#include "core/compare/paired_results.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "core/compare/corpus_drop.h"
#include "core/compare/perplexity_error.h"
#include "core/statistics/paired.h"

namespace tersor {
namespace {

using Item = v1::TaskResult::Item;

std::optional<double> ScoreOf(const Item& item, absl::string_view metric) {
  const auto it = item.scores().find(std::string(metric));
  return it == item.scores().end() ? std::nullopt : std::optional<double>(it->second);
}

// What each item adds to a metric that is a mean; empty for other metrics.
std::vector<double> Scores(const v1::TaskResult& task, absl::string_view metric) {
  std::vector<double> scores;
  for (const Item& item : task.items()) {
    const std::optional<double> score = ScoreOf(item, metric);
    if (!score.has_value()) return {};
    scores.push_back(*score);
  }
  return scores;
}

// `after`'s items in the order of `before`'s.
absl::StatusOr<v1::TaskResult> Aligned(const v1::TaskResult& before, const v1::TaskResult& after) {
  std::map<absl::string_view, const Item*> by_id;
  for (const Item& item : after.items()) by_id[item.id()] = &item;
  if (static_cast<int>(by_id.size()) != before.items_size()) {
    return absl::FailedPreconditionError(absl::StrCat(before.task(), " has ", before.items_size(),
                                                      " items on one side, ", by_id.size(), " on the other"));
  }
  v1::TaskResult aligned;
  for (const Item& item : before.items()) {
    const auto it = by_id.find(item.id());
    if (it == by_id.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat("item \"", item.id(), "\" of ", before.task(), " is on one side only"));
    }
    *aligned.add_items() = *it->second;
  }
  return aligned;
}

void SetInterval(const Interval& interval, double confidence, v1::Interval& message) {
  message.set_low(interval.low);
  message.set_high(interval.high);
  message.set_confidence(confidence);
}

// The two sides' errors, as if they were independent: wider than what pairing would give, never narrower.
void SetUnpaired(const v1::TaskResult::Metric& before, const v1::TaskResult::Metric& after, double confidence,
                 v1::TaskComparison& comparison) {
  const double sign = after.higher_is_better() ? 1 : -1;
  comparison.set_drop(sign * (before.value() - after.value()));
  comparison.set_standard_error(std::hypot(before.standard_error(), after.standard_error()));
  SetInterval(comparison.standard_error() > 0
                  ? NormalInterval(comparison.drop(), comparison.standard_error(), confidence)
                  : Interval(),
              confidence, *comparison.mutable_interval());
}

void SetDrop(const PairedDrop& drop, double confidence, v1::TaskComparison& comparison) {
  comparison.set_drop(drop.drop);
  comparison.set_standard_error(drop.standard_error);
  SetInterval(drop.interval, confidence, *comparison.mutable_interval());
}

void SetPaired(const std::vector<double>& before, const std::vector<double>& after, bool higher_is_better,
               double confidence, v1::TaskComparison& comparison) {
  SetDrop(higher_is_better ? DropOnSameItems(before, after, confidence) : DropOnSameItems(after, before, confidence),
          confidence, comparison);
  const auto right_or_wrong = [](double score) { return score == 0 || score == 1; };
  if (!std::all_of(before.begin(), before.end(), right_or_wrong) ||
      !std::all_of(after.begin(), after.end(), right_or_wrong)) {
    return;
  }
  const Flips flips = CountFlips(before, after);
  comparison.set_right_or_wrong(true);
  comparison.set_lost(flips.lost);
  comparison.set_won(flips.won);
  comparison.set_mcnemar_p(McNemarExact(flips));
}

// By what fits the metric: items' own scores, resampled items, or, in reports that keep neither, both sides' errors.
void SetComparison(const v1::TaskResult& before, const v1::TaskResult& after, const v1::TaskResult::Metric& old_metric,
                   const v1::TaskResult::Metric& metric, double confidence, v1::TaskComparison& comparison) {
  const std::vector<double> old_scores = Scores(before, metric.name()), scores = Scores(after, metric.name());
  if (!old_scores.empty() && !scores.empty()) {
    return SetPaired(old_scores, scores, metric.higher_is_better(), confidence, comparison);
  }
  const std::optional<PairedDrop> drop =
      CorpusDrop(before, after, metric.name(), metric.higher_is_better(), confidence);
  if (drop.has_value()) return SetDrop(*drop, confidence, comparison);
  SetUnpaired(old_metric, metric, confidence, comparison);
}

}  // namespace

absl::StatusOr<v1::TaskComparison> CompareTask(const v1::TaskResult& before, const v1::TaskResult& after,
                                               absl::string_view metric, double confidence) {
  if (before.hash() != after.hash()) {
    return absl::FailedPreconditionError(absl::StrCat(after.task(), " was measured under two protocols (hashes ",
                                                      before.hash().substr(0, 12), " and ", after.hash().substr(0, 12),
                                                      "): they cannot be compared"));
  }
  return CompareItems(before, after, metric, confidence);
}

absl::StatusOr<v1::TaskComparison> CompareItems(const v1::TaskResult& before, const v1::TaskResult& after,
                                                absl::string_view metric, double confidence) {
  const v1::TaskResult::Metric* after_metric = FindMetric(after, metric);
  const v1::TaskResult::Metric* before_metric =
      after_metric == nullptr ? nullptr : FindMetric(before, after_metric->name());
  if (before_metric == nullptr) {
    return absl::NotFoundError(absl::StrCat(after.task(), " has no metric \"", metric, "\" on both sides"));
  }
  TERSOR_ASSIGN_OR_RETURN(const v1::TaskResult aligned, Aligned(before, after));
  v1::TaskComparison comparison;
  comparison.set_task(after.task());
  comparison.set_hash(after.hash());
  comparison.set_metric(after_metric->name());
  comparison.set_ability(after.ability());
  comparison.set_items(before.items_size());
  comparison.set_before(before_metric->value());
  comparison.set_after(after_metric->value());
  SetComparison(before, aligned, *before_metric, *after_metric, confidence, comparison);
  return comparison;
}

absl::StatusOr<v1::PerplexityComparison> ComparePerplexity(const v1::PerplexityResult& before,
                                                           const v1::PerplexityResult& after, double confidence) {
  if (before.hash() != after.hash()) {
    return absl::FailedPreconditionError(
        absl::StrCat("perplexity on ", after.dataset(), " was measured under two protocols: they cannot be compared"));
  }
  const NllBlocks before_blocks = NllBlocksOf(before), after_blocks = NllBlocksOf(after);
  if (before_blocks.tokens != after_blocks.tokens) {
    return absl::FailedPreconditionError(absl::StrCat("perplexity on ", after.dataset(), " has other windows"));
  }
  v1::PerplexityComparison comparison;
  comparison.set_dataset(after.dataset());
  comparison.set_hash(after.hash());
  comparison.set_ratio(after.value() / before.value());
  PairedRatio ratio = {.interval = {0, std::numeric_limits<double>::infinity()}};
  if (!before_blocks.tokens.empty() && after.count() > 0) {
    ratio = PerplexityRatioOnBlocks(before_blocks.nlls, after_blocks.nlls, before_blocks.tokens,
                                    static_cast<double>(after.count()), confidence);
  }
  comparison.set_standard_error(ratio.standard_error);
  comparison.set_blocks(ratio.blocks);
  SetInterval(ratio.interval, confidence, *comparison.mutable_interval());
  return comparison;
}

std::vector<v1::TaskComparison> CompareTasks(const ReportSide& before, const ReportSide& after,
                                             absl::string_view baseline, double confidence) {
  std::vector<v1::TaskComparison> comparisons;
  for (const v1::TaskResult& task : after.report->tasks()) {
    const v1::TaskResult* other = task.subject() == after.subject ? before.Task(task.task(), task.hash()) : nullptr;
    if (other == nullptr) continue;
    absl::StatusOr<v1::TaskComparison> comparison = CompareTask(*other, task, "", confidence);
    if (!comparison.ok()) continue;
    comparison->set_baseline(std::string(baseline));
    comparisons.push_back(*std::move(comparison));
  }
  return comparisons;
}

std::vector<v1::PerplexityComparison> ComparePerplexities(const ReportSide& before, const ReportSide& after,
                                                          absl::string_view baseline, double confidence) {
  std::vector<v1::PerplexityComparison> comparisons;
  for (const v1::PerplexityResult& result : after.report->perplexity()) {
    const v1::PerplexityResult* other = result.subject() == after.subject ? before.Perplexity(result.hash()) : nullptr;
    if (other == nullptr) continue;
    absl::StatusOr<v1::PerplexityComparison> comparison = ComparePerplexity(*other, result, confidence);
    if (!comparison.ok()) continue;
    comparison->set_baseline(std::string(baseline));
    comparisons.push_back(*std::move(comparison));
  }
  return comparisons;
}

bool RightOrWrong(const v1::TaskResult& task, absl::string_view metric) {
  const std::vector<double> scores = Scores(task, metric);
  return !scores.empty() &&
         std::all_of(scores.begin(), scores.end(), [](double score) { return score == 0 || score == 1; });
}

Interval ScoreInterval(const v1::TaskResult& task, const v1::TaskResult::Metric& metric, double confidence) {
  if (!RightOrWrong(task, metric.name())) {
    // One item says nothing of how others would turn out.
    if (!metric.has_standard_error()) return {};
    return NormalInterval(metric.value(), metric.standard_error(), confidence);
  }
  const std::vector<double> scores = Scores(task, metric.name());
  return WilsonInterval(std::count(scores.begin(), scores.end(), 1.0), static_cast<int64_t>(scores.size()), confidence);
}

}  // namespace tersor
