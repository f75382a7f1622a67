// What a gate compares with in place of the dense model.
#ifndef TERSOR_CORE_COMPARE_BASELINE_REFERENCE_H_
#define TERSOR_CORE_COMPARE_BASELINE_REFERENCE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

struct BaselineReference {
  // The job's id, from "job:ID"; else empty.
  std::string job_id = {};
  // From "job:label=KEY" and "job:label=KEY=VALUE": the newest job with a report that has the label.
  std::string label_key = {};
  std::string label_value = {};
  bool any_value = true;
  // A report.json on this machine.
  std::string path = {};

  bool is_job() const { return !job_id.empty() || !label_key.empty(); }
};

// INVALID_ARGUMENT where it is empty or a job without id or label.
absl::StatusOr<BaselineReference> ParseBaselineReference(absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_BASELINE_REFERENCE_H_
