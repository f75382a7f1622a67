// The thread that brings the gauges up to date, and asks the store whether it is there.
#ifndef TERSOR_SERVER_METRICS_METRICS_REFRESH_H_
#define TERSOR_SERVER_METRICS_METRICS_REFRESH_H_

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "server/executor/process_info.h"
#include "server/metrics/server_metrics.h"
#include "server/store/job_store.h"

namespace tersor {

// Refreshes once in the constructor, then after changes of the store, at most twice and at least about once a second,
// until destroyed.
class MetricsRefresh {
 public:
  // `on_store` is told each time what the store answered; called from the constructor and from the thread.
  MetricsRefresh(ServerMetrics& metrics, JobStore& store, std::function<void(absl::Status)> on_store)
      : metrics_(metrics), store_(store), on_store_(std::move(on_store)) {
    Refresh();
    thread_ = std::thread([this] {
      while (!stop_.load()) {
        const uint64_t seen = store_.ChangeCount();
        Refresh();
        store_.WaitForChange(seen, absl::Seconds(1));
        // Counting reads every job there ever was, while a busy store changes many times a second.
        std::this_thread::sleep_for(std::chrono::milliseconds(500));
      }
    });
  }
  ~MetricsRefresh() {
    stop_.store(true);
    thread_.join();
  }
  MetricsRefresh(const MetricsRefresh&) = delete;
  MetricsRefresh& operator=(const MetricsRefresh&) = delete;

 private:
  void Refresh() {
    const absl::StatusOr<std::vector<JobCount>> counts = store_.CountJobs();
    if (counts.ok()) metrics_.SetJobs(*counts);
    metrics_.SetServerMemory(ReadUnsharedRss(getpid()));
    on_store_(counts.status());
  }

  ServerMetrics& metrics_;
  JobStore& store_;
  const std::function<void(absl::Status)> on_store_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_METRICS_METRICS_REFRESH_H_
