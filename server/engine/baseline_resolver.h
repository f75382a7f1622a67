// Which job a gate's baseline is.
#ifndef TERSOR_SERVER_ENGINE_BASELINE_RESOLVER_H_
#define TERSOR_SERVER_ENGINE_BASELINE_RESOLVER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "server/store/job_store.h"

namespace tersor {

// The id of the job that "job:ID" or "job:label=KEY[=VALUE]" names: of labels the newest that succeeded.
// INVALID_ARGUMENT where there is none, where it has no report, or where the reference is a file.
absl::StatusOr<std::string> ResolveBaseline(JobStore& store, absl::string_view reference);

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_BASELINE_RESOLVER_H_
