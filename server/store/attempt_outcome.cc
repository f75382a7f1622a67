#include "server/store/attempt_outcome.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {

AttemptOutcome SettleOutcome(const JobRecord& record, AttemptOutcome outcome) {
  if (outcome.next == v1::JOB_STATE_SUCCEEDED) return outcome;
  if (record.cancel_requested) {
    return {.next = v1::JOB_STATE_CANCELLED, .message = "cancelled on request", .reason = "CANCELLED"};
  }
  if (outcome.next == v1::JOB_STATE_QUEUED && record.failures >= record.job.max_attempts()) {
    outcome.next = v1::JOB_STATE_FAILED;
    outcome.message = absl::StrCat("gave up after ", record.failures,
                                   record.failures == 1 ? " attempt: " : " attempts: ", outcome.message);
  }
  return outcome;
}

}  // namespace tersor
