#include "server/scheduler/scheduler.h"

#include <algorithm>
#include <set>

namespace tersor {
namespace {

// What is taken, as jobs are admitted one by one.
struct Occupancy {
  int64_t threads = 0;
  int64_t memory_bytes = 0;
  int jobs = 0;
  std::set<std::string> fingerprints;

  void Add(int job_threads, int64_t job_memory, const std::string& fingerprint) {
    threads += job_threads;
    memory_bytes += job_memory;
    ++jobs;
    if (!fingerprint.empty()) fingerprints.insert(fingerprint);
  }
};

bool Fits(const QueuedJob& job, const Occupancy& taken, const SchedulerSnapshot& snapshot) {
  if (taken.jobs == 0) return true;
  return taken.threads + job.threads <= snapshot.threads &&
         taken.memory_bytes + job.memory_bytes <= snapshot.memory_bytes;
}

bool GoesBefore(const QueuedJob& a, const QueuedJob& b) {
  if (a.priority != b.priority) return a.priority > b.priority;
  return a.ordinal < b.ordinal;
}

}  // namespace

std::vector<std::string> JobsToStart(const SchedulerSnapshot& snapshot) {
  Occupancy taken;
  for (const RunningJob& job : snapshot.running) taken.Add(job.threads, job.memory_bytes, job.fingerprint);
  std::vector<QueuedJob> queue = snapshot.queued;
  std::sort(queue.begin(), queue.end(), GoesBefore);
  std::vector<std::string> start;
  for (const QueuedJob& job : queue) {
    if (taken.fingerprints.count(job.fingerprint) != 0) continue;
    if (Fits(job, taken, snapshot)) {
      taken.Add(job.threads, job.memory_bytes, job.fingerprint);
      start.push_back(job.id);
    } else if (job.waited >= snapshot.patience) {
      break;
    }
  }
  return start;
}

}  // namespace tersor
