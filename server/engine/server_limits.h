// What jobs may use on this server.
#ifndef TERSOR_SERVER_ENGINE_SERVER_LIMITS_H_
#define TERSOR_SERVER_ENGINE_SERVER_LIMITS_H_

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "tersor/v1/job_service.pb.h"

namespace tersor {

struct ServerLimits {
  int threads = 1;
  int64_t memory_bytes = 0;
  int max_attempts = 3;
  // Jobs that wait.
  int64_t max_queued = 10000;
  std::vector<std::filesystem::path> data_paths;
  // Models that are named by a path must lie below one of these.
  std::vector<std::filesystem::path> model_roots;
};

inline int JobThreads(const v1::Job& job, const ServerLimits& limits) {
  return job.resources().threads() > 0 ? job.resources().threads() : limits.threads;
}

// What the scheduler sets aside: what the client asked for, else the plan's upper bound.
inline int64_t JobMemory(const v1::Job& job) {
  return job.resources().memory_bytes() > 0 ? job.resources().memory_bytes() : job.plan().peak_memory_bytes();
}

// Where the worker is ended: what the client asked for, else twice the plan's bound (at least 1 GiB), within the
// server's. A bound that is a little off must not end a job; a runaway must not end the machine.
inline int64_t WorkerMemoryLimit(const v1::Job& job, const ServerLimits& limits) {
  if (job.resources().memory_bytes() > 0) return job.resources().memory_bytes();
  const int64_t bound = std::min(job.plan().peak_memory_bytes(), limits.memory_bytes / 2);
  return std::min(limits.memory_bytes, std::max<int64_t>(2 * bound, int64_t{1} << 30));
}

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_SERVER_LIMITS_H_
