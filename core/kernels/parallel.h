// Loops over independent tasks on OpenMP's threads, which oneDNN and OpenBLAS share.
#ifndef TERSOR_CORE_KERNELS_PARALLEL_H_
#define TERSOR_CORE_KERNELS_PARALLEL_H_

#include <cstdint>
#include <mutex>
#include <utility>

#include "core/base/status.h"

namespace tersor {

// Runs `task(i)` (returning absl::Status, throwing nothing) for i in [0, tasks) on `threads` threads, in any order;
// returns the error of the lowest failing i that ran. Inside another parallel loop it runs on the calling thread.
template <typename Task>
absl::Status ParallelFor(int threads, int64_t tasks, const Task& task) {
  if (threads <= 1 || tasks <= 1) {
    for (int64_t i = 0; i < tasks; ++i) TERSOR_RETURN_IF_ERROR(task(i));
    return absl::OkStatus();
  }
  std::mutex mutex;
  int64_t first_failure = tasks;
  absl::Status failure;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
  for (int64_t i = 0; i < tasks; ++i) {
    absl::Status status = task(i);
    if (status.ok()) continue;
    std::lock_guard<std::mutex> lock(mutex);
    if (i < first_failure) {
      first_failure = i;
      failure = std::move(status);
    }
  }
  return failure;
}

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PARALLEL_H_
