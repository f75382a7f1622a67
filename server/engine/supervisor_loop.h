// The thread that ticks the supervisor and the sweeps' keeper.
#ifndef TERSOR_SERVER_ENGINE_SUPERVISOR_LOOP_H_
#define TERSOR_SERVER_ENGINE_SUPERVISOR_LOOP_H_

#include <atomic>
#include <thread>

#include "server/engine/supervisor.h"
#include "server/engine/sweep_keeper.h"

namespace tersor {

// Ticks at every change of the store and at least each `period`, until destroyed.
class SupervisorLoop {
 public:
  SupervisorLoop(Supervisor& supervisor, SweepKeeper& sweeps, const JobStore& store,
                 absl::Duration period = absl::Milliseconds(200))
      : thread_([this, &supervisor, &sweeps, &store, period] {
          while (!stop_.load()) {
            const uint64_t seen = store.ChangeCount();
            sweeps.Tick();
            supervisor.Tick();
            store.WaitForChange(seen, period);
          }
        }) {}
  ~SupervisorLoop() {
    stop_.store(true);
    thread_.join();
  }
  SupervisorLoop(const SupervisorLoop&) = delete;
  SupervisorLoop& operator=(const SupervisorLoop&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_SUPERVISOR_LOOP_H_
