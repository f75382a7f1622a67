// Several reports side by side: figures, paired changes, Pareto fronts.
#ifndef TERSOR_CORE_COMPARE_COMPARISON_H_
#define TERSOR_CORE_COMPARE_COMPARISON_H_

#include <string>
#include <vector>

#include "core/base/status.h"
#include "tersor/v1/comparison.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

inline constexpr int kMaxComparedReports = 64;

struct NamedReport {
  // What the user called it: a job's id or a file's name; of a sweep's point its settings.
  std::string name;
  v1::Report report;
  // The sweep whose point this is; empty where the report itself was named.
  std::string sweep = {};
};

struct CompareOptions {
  // Figures of different protocols side by side all the same.
  bool force = false;
  double confidence = 0.95;
  // Come before the comparison's own.
  std::vector<v1::Warning> warnings = {};
};

// FAILED_PRECONDITION names every task and text that was measured under different protocols, unless forced;
// INVALID_ARGUMENT without reports, with too many, or with a confidence that is none.
absl::StatusOr<v1::ReportComparison> CompareReports(const std::vector<NamedReport>& reports,
                                                    const CompareOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_COMPARISON_H_
