// The thread that ticks the supervisor.
#ifndef TERSOR_SERVER_ENGINE_SUPERVISOR_LOOP_H_
#define TERSOR_SERVER_ENGINE_SUPERVISOR_LOOP_H_

#include <atomic>
#include <thread>

#include "server/engine/supervisor.h"

namespace tersor {

// Ticks at every change of the store and at least each `period`, until destroyed.
class SupervisorLoop {
 public:
  SupervisorLoop(Supervisor& supervisor, const JobStore& store, absl::Duration period = absl::Milliseconds(200))
      : thread_([this, &supervisor, &store, period] {
          while (!stop_.load()) {
            const uint64_t seen = store.ChangeCount();
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
