// The filter of ListJobs.
#ifndef TERSOR_SERVER_STORE_JOB_FILTER_H_
#define TERSOR_SERVER_STORE_JOB_FILTER_H_

#include <map>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "tersor/v1/event.pb.h"

namespace tersor {

// Conditions that all hold; what is not set does not matter.
struct JobFilter {
  std::optional<v1::JobState> state;
  std::optional<std::string> parent;
  std::optional<std::string> method;
  std::map<std::string, std::string> labels;
};

// "state=RUNNING AND label.team=search AND method=gptq AND parent=job-1"; values with spaces stand in double quotes.
// Empty text gives the filter that lets everything pass. INVALID_ARGUMENT says which part is wrong.
absl::StatusOr<JobFilter> ParseJobFilter(absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_JOB_FILTER_H_
