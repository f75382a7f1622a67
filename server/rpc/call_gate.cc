#include "server/rpc/call_gate.h"

#include "server/base/error_details.h"

namespace tersor {

absl::Status CallGate::Enter(absl::FunctionRef<bool()> gone) {
  const MutexLock lock(mutex_);
  const auto free = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return running_ < running_limit_; };
  if (!free() && waiting_ >= waiting_limit_) {
    return WithReason(absl::ResourceExhaustedError("too many plans, imports and lints are under way on this server: "
                                                   "try again later"),
                      "TOO_MANY_CALLS");
  }
  ++waiting_;
  bool turn = false, left = false;
  while (!turn && !left) {
    turn = mutex_.AwaitWithTimeout(free, absl::Milliseconds(50));
    left = !turn && gone();
  }
  --waiting_;
  if (left) return absl::CancelledError("the caller went away");
  ++running_;
  return absl::OkStatus();
}

void CallGate::Leave() {
  const MutexLock lock(mutex_);
  --running_;
}

}  // namespace tersor
