// What a worker says of a run that failed.
#ifndef TERSOR_SERVER_WORKER_FAILURE_H_
#define TERSOR_SERVER_WORKER_FAILURE_H_

#include "core/base/status.h"
#include "tersor/v1/worker_service.pb.h"

namespace tersor {

// Retryable: what another try could change (an internal error, a full disk, memory). Faults of the input are not. The
// reason is the status's own (error_details.h) or a stable name for its code.
v1::CompleteAttemptRequest::Failure ToFailure(const absl::Status& status);

}  // namespace tersor

#endif  // TERSOR_SERVER_WORKER_FAILURE_H_
