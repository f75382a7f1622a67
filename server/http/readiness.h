// Whether the server should be sent work.
#ifndef TERSOR_SERVER_HTTP_READINESS_H_
#define TERSOR_SERVER_HTTP_READINESS_H_

#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/base/status.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"

namespace tersor {

// Thread-safe. `clock` outlives it.
class Readiness {
 public:
  enum class Phase { kStarting, kServing, kDraining };

  explicit Readiness(const Clock& clock) : clock_(clock) {}

  void SetPhase(Phase phase);
  // What the store answered when it was last asked, which is to be about every second.
  void OnStore(absl::Status status);
  // Why the server takes no work now; empty when it does. A store that has not answered for ten seconds is no store.
  std::string WhyNot() const;

 private:
  const Clock& clock_;
  mutable Mutex mutex_;
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kStarting;
  absl::Status store_ ABSL_GUARDED_BY(mutex_) = absl::UnavailableError("not asked yet");
  absl::Duration asked_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
};

}  // namespace tersor

#endif  // TERSOR_SERVER_HTTP_READINESS_H_
