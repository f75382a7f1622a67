// Two results of one protocol, item by item and block by block.
#ifndef TERSOR_CORE_COMPARE_PAIRED_RESULTS_H_
#define TERSOR_CORE_COMPARE_PAIRED_RESULTS_H_

#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/compare/report_side.h"
#include "core/statistics/interval.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// The drop of `metric` (empty: the task's main one) from `before` to `after`, items paired by id. FAILED_PRECONDITION
// where the hashes differ or the items are not the same, NOT_FOUND where a side lacks the metric.
absl::StatusOr<v1::TaskComparison> CompareTask(const v1::TaskResult& before, const v1::TaskResult& after,
                                               absl::string_view metric, double confidence);

// The same whatever the hashes: for models with tokenizers of their own that were asked the same items.
absl::StatusOr<v1::TaskComparison> CompareItems(const v1::TaskResult& before, const v1::TaskResult& after,
                                                absl::string_view metric, double confidence);

// FAILED_PRECONDITION where the hashes or the windows differ. Values that are not finite give a ratio that is not.
absl::StatusOr<v1::PerplexityComparison> ComparePerplexity(const v1::PerplexityResult& before,
                                                           const v1::PerplexityResult& after, double confidence);

// Every task and text that both sides have under one protocol, in the order of `after`; `baseline` names `before`.
std::vector<v1::TaskComparison> CompareTasks(const ReportSide& before, const ReportSide& after,
                                             absl::string_view baseline, double confidence);
std::vector<v1::PerplexityComparison> ComparePerplexities(const ReportSide& before, const ReportSide& after,
                                                          absl::string_view baseline, double confidence);

// Of the score itself: Wilson's where items are right or wrong, else normal.
Interval ScoreInterval(const v1::TaskResult& task, const v1::TaskResult::Metric& metric, double confidence);

// Whether every item's score is 0 or 1.
bool RightOrWrong(const v1::TaskResult& task, absl::string_view metric);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_PAIRED_RESULTS_H_
