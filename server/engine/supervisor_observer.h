// What the supervisor tells the metrics.
#ifndef TERSOR_SERVER_ENGINE_SUPERVISOR_OBSERVER_H_
#define TERSOR_SERVER_ENGINE_SUPERVISOR_OBSERVER_H_

#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tersor/v1/event.pb.h"

namespace tersor {

// Thread-safe; called with the supervisor's lock held, must not call back. The defaults do nothing.
class SupervisorObserver {
 public:
  virtual ~SupervisorObserver() = default;
  // An attempt starts; `waited` since the job was submitted, for the first attempt only.
  virtual void OnAttemptStarted(absl::string_view /*method*/, absl::Duration /*waited*/, bool /*first*/) {}
  // An attempt ended after `ran`; `reason` is a stable name or empty; `state` is the job's then.
  virtual void OnAttemptEnded(absl::string_view /*method*/, v1::JobState /*state*/, absl::string_view /*reason*/,
                              absl::Duration /*ran*/) {}
  // Sums over all running workers.
  virtual void OnWorkers(int /*count*/, int64_t /*rss_bytes*/, double /*tokens_per_second*/) {}
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_SUPERVISOR_OBSERVER_H_
