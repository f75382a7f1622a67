// Which waiting jobs may start now.
#ifndef TERSOR_SERVER_SCHEDULER_SCHEDULER_H_
#define TERSOR_SERVER_SCHEDULER_SCHEDULER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace tersor {

struct QueuedJob {
  std::string id;
  // Higher goes first; equal ones in order of submission.
  int32_t priority = 0;
  int64_t ordinal = 0;
  absl::Duration waited;
  int threads = 1;
  int64_t memory_bytes = 0;
  // Jobs of equal fingerprint do not run side by side: the later one takes the earlier one's answer. Empty: never
  // equal.
  std::string fingerprint;
};

struct RunningJob {
  int threads = 1;
  int64_t memory_bytes = 0;
  std::string fingerprint;
};

// Everything a decision depends on.
struct SchedulerSnapshot {
  std::vector<QueuedJob> queued;
  std::vector<RunningJob> running;
  int threads = 1;
  int64_t memory_bytes = 0;
  // A job that does not fit lets smaller ones pass until it has waited so long.
  absl::Duration patience = absl::Minutes(10);
};

// Ids to start, in order. Pure. A job larger than the machine starts alone, when nothing else runs, so that a
// pessimistic estimate cannot hold a job for ever.
std::vector<std::string> JobsToStart(const SchedulerSnapshot& snapshot);

}  // namespace tersor

#endif  // TERSOR_SERVER_SCHEDULER_SCHEDULER_H_
