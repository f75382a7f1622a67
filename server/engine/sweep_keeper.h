// Looks after sweeps: tells how far their points have come, ends them with a report, passes a cancellation on.
#ifndef TERSOR_SERVER_ENGINE_SWEEP_KEEPER_H_
#define TERSOR_SERVER_ENGINE_SWEEP_KEEPER_H_

#include <map>
#include <string>
#include <vector>

#include "server/base/clock.h"
#include "server/engine/supervisor.h"
#include "server/store/job_store.h"

namespace tersor {

// A sweep's state lives in the store alone (its points are jobs like others), so that it goes on after a restart.
// Tick is called by one thread.
class SweepKeeper {
 public:
  // All references outlive it.
  SweepKeeper(JobStore& store, Supervisor& supervisor, const Clock& clock)
      : store_(store), supervisor_(supervisor), clock_(clock) {}

  void Tick();

 private:
  absl::Status LookAfter(const JobRecord& sweep);
  absl::Status End(const JobRecord& sweep, const std::vector<JobRecord>& points);
  absl::Status TellProgress(const JobRecord& sweep, const std::vector<JobRecord>& points);
  absl::StatusOr<v1::SweepResult> Collect(const std::vector<JobRecord>& points);

  JobStore& store_;
  Supervisor& supervisor_;
  const Clock& clock_;
  // The store's count of changes when it was last looked at.
  uint64_t seen_ = 0;
  absl::Duration looked_at_ = -absl::InfiniteDuration();
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_SWEEP_KEEPER_H_
