// Sweeps among the reports to compare: their points stand in their place.
#ifndef TERSOR_CORE_COMPARE_SWEEP_POINTS_H_
#define TERSOR_CORE_COMPARE_SWEEP_POINTS_H_

#include <functional>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/compare/comparison.h"

namespace tersor {

// The report of a sweep's point, by the id of its job.
using FindPointReport = std::function<absl::StatusOr<v1::Report>(const std::string& job_id)>;

struct ComparedReports {
  std::vector<NamedReport> reports;
  // SWEEP_POINTS_LEFT_OUT for a sweep of which points gave no result.
  std::vector<v1::Warning> warnings;
};

// Adds `named`, of a sweep its points' reports in its place, named by their settings; by the sweep too where `several`
// names are compared. FAILED_PRECONDITION for a sweep none of whose points gave a result; `find`'s errors, with the
// point and the sweep; INVALID_ARGUMENT where there are more reports than can be compared.
absl::Status AddCompared(NamedReport named, bool several, const FindPointReport& find, ComparedReports& compared);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_SWEEP_POINTS_H_
