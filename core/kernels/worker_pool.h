// The threads that parallel loops run on.
#ifndef TERSOR_CORE_KERNELS_WORKER_POOL_H_
#define TERSOR_CORE_KERNELS_WORKER_POOL_H_

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace tersor {

// Calls task(i) once for each i in [0, tasks), on the calling thread and at most threads - 1 workers of the process,
// and returns when all are done. Tasks are handed out one by one in rising order, so a worker that gets no processor
// holds nobody up. Several threads may call at a time. Within a task that shares its loop with other threads, a further
// call stays on its thread, and OpenMP (BLAS, oneDNN) is limited to one thread. Tasks must not throw.
void RunTasks(int threads, int64_t tasks, absl::FunctionRef<void(int64_t)> task);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_WORKER_POOL_H_
