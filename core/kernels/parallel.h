// Loops over independent tasks that may fail.
#ifndef TERSOR_CORE_KERNELS_PARALLEL_H_
#define TERSOR_CORE_KERNELS_PARALLEL_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <utility>

#include "core/base/status.h"
#include "core/kernels/worker_pool.h"

namespace tersor {

// Runs `task(i)` (returning absl::Status, throwing nothing) for i in [0, tasks) on `threads` threads, in any order (see
// worker_pool.h). After an error no further task is begun; of those that failed, the lowest one's error is returned.
template <typename Task>
absl::Status ParallelFor(int threads, int64_t tasks, const Task& task) {
  std::mutex mutex;
  std::atomic<bool> failed{false};
  int64_t first_failure = tasks;
  absl::Status failure;
  RunTasks(threads, tasks, [&](int64_t i) {
    if (failed.load(std::memory_order_relaxed)) return;
    absl::Status status = task(i);
    if (status.ok()) return;
    std::lock_guard<std::mutex> lock(mutex);
    failed = true;
    if (i < first_failure) {
      first_failure = i;
      failure = std::move(status);
    }
  });
  return failure;
}

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PARALLEL_H_
