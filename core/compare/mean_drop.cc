#include "core/compare/mean_drop.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/compare/paired_results.h"

namespace tersor {
namespace {

absl::Status NotMeasured() { return absl::NotFoundError("was not measured"); }

}  // namespace

MeanDrop CombineDrops(std::span<const v1::TaskComparison> comparisons) {
  MeanDrop mean;
  if (comparisons.empty()) return mean;
  std::vector<WeightedEstimate> parts;
  const double weight = 1.0 / static_cast<double>(comparisons.size());
  double variance = 0;
  for (const v1::TaskComparison& comparison : comparisons) {
    parts.push_back({weight, comparison.drop(), {comparison.interval().low(), comparison.interval().high()}});
    mean.drop += weight * comparison.drop();
    mean.items += comparison.items();
    mean.tasks.push_back(comparison.task());
    variance += weight * weight * comparison.standard_error() * comparison.standard_error();
  }
  mean.standard_error = std::sqrt(variance);
  mean.interval = CombineIntervals(parts);
  return mean;
}

absl::StatusOr<v1::TaskComparison> DropOfTask(const ReportSide& before, const v1::TaskResult* after,
                                              absl::string_view metric, double confidence) {
  if (after == nullptr) return NotMeasured();
  const v1::TaskResult* other = before.Task(after->task(), after->hash());
  if (after == other) return NotMeasured();
  if (other == nullptr) {
    return absl::NotFoundError(absl::StrCat("has no baseline: ", after->task(), " was not measured there"));
  }
  return CompareTask(*other, *after, metric, confidence);
}

absl::StatusOr<MeanDrop> MeanDropOf(const ReportSide& before, const ReportSide& after, absl::string_view ability,
                                    double confidence) {
  std::vector<v1::TaskComparison> comparisons;
  for (const v1::TaskResult& task : after.report->tasks()) {
    if (task.subject() != after.subject || (!ability.empty() && task.ability() != ability)) continue;
    const v1::TaskResult::Metric* metric = FindMetric(task, "");
    if (metric == nullptr || !metric->higher_is_better()) continue;
    TERSOR_ASSIGN_OR_RETURN(comparisons.emplace_back(), DropOfTask(before, &task, "", confidence));
  }
  if (comparisons.empty()) return NotMeasured();
  return CombineDrops(comparisons);
}

}  // namespace tersor
