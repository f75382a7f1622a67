// What becomes of a job when an attempt ends.
#ifndef TERSOR_SERVER_STORE_ATTEMPT_OUTCOME_H_
#define TERSOR_SERVER_STORE_ATTEMPT_OUTCOME_H_

#include "server/store/records.h"

namespace tersor {

// The outcome that holds for `record`: a job that was asked to cancel is CANCELLED unless it succeeded first; one that
// should be tried again but has used up its tries is FAILED with the last reason. `record.failures` already counts this
// attempt.
AttemptOutcome SettleOutcome(const JobRecord& record, AttemptOutcome outcome);

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_ATTEMPT_OUTCOME_H_
