// The life of a job: which steps between states there are.
#ifndef TERSOR_SERVER_STORE_JOB_STATE_H_
#define TERSOR_SERVER_STORE_JOB_STATE_H_

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "tersor/v1/event.pb.h"

namespace tersor {

// SUCCEEDED, FAILED and CANCELLED are never left.
bool IsTerminal(v1::JobState state);

// QUEUED -> RUNNING | CANCELLED | SUCCEEDED (answered from an earlier job) | FAILED (could not be started);
// RUNNING -> SUCCEEDED | FAILED | CANCELLED | QUEUED (its attempt died). FAILED_PRECONDITION for any other step.
absl::Status CheckTransition(v1::JobState from, v1::JobState to);

// "QUEUED", ... without the enum's prefix.
absl::string_view JobStateName(v1::JobState state);

// The inverse; INVALID_ARGUMENT lists the names.
absl::StatusOr<v1::JobState> ParseJobState(absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_JOB_STATE_H_
