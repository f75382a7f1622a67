// What several tasks lost together: the one figure that gates and abilities' verdicts rest on.
#ifndef TERSOR_CORE_COMPARE_MEAN_DROP_H_
#define TERSOR_CORE_COMPARE_MEAN_DROP_H_

#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/compare/report_side.h"
#include "core/statistics/interval.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

struct MeanDrop {
  // Of the tasks' drops, each task counting the same.
  double drop = 0;
  double standard_error = 0;
  Interval interval;
  int64_t items = 0;
  std::vector<std::string> tasks;
};

// The intervals combined as those of independent estimates (MOVER). Zeros without comparisons.
MeanDrop CombineDrops(std::span<const v1::TaskComparison> comparisons);

// The drop from `before`'s result to `after`, one of the other side's results, by `metric` (empty: the main one).
// NOT_FOUND where there is nothing to compare, its message a predicate: "was not measured", "has no baseline: ...".
absl::StatusOr<v1::TaskComparison> DropOfTask(const ReportSide& before, const v1::TaskResult* after,
                                              absl::string_view metric, double confidence);

// Over the tasks of `ability`, or over all where it is empty, whose main metric is better when higher. Errors as
// DropOfTask.
absl::StatusOr<MeanDrop> MeanDropOf(const ReportSide& before, const ReportSide& after, absl::string_view ability,
                                    double confidence);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_MEAN_DROP_H_
