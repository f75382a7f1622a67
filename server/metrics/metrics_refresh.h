// The thread that brings the gauges up to date.
#ifndef TERSOR_SERVER_METRICS_METRICS_REFRESH_H_
#define TERSOR_SERVER_METRICS_METRICS_REFRESH_H_

#include <unistd.h>

#include <atomic>
#include <thread>

#include "server/executor/process_info.h"
#include "server/metrics/server_metrics.h"
#include "server/store/job_store.h"

namespace tersor {

// Refreshes at changes of the store and at least each second, until destroyed.
class MetricsRefresh {
 public:
  MetricsRefresh(ServerMetrics& metrics, JobStore& store)
      : thread_([this, &metrics, &store] {
          while (!stop_.load()) {
            const uint64_t seen = store.ChangeCount();
            const absl::StatusOr<std::vector<JobCount>> counts = store.CountJobs();
            if (counts.ok()) metrics.SetJobs(*counts);
            metrics.SetServerMemory(ReadUnsharedRss(getpid()));
            store.WaitForChange(seen, absl::Seconds(1));
          }
        }) {}
  ~MetricsRefresh() {
    stop_.store(true);
    thread_.join();
  }
  MetricsRefresh(const MetricsRefresh&) = delete;
  MetricsRefresh& operator=(const MetricsRefresh&) = delete;

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_METRICS_METRICS_REFRESH_H_
