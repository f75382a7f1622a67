// What Prometheus scrapes.
#ifndef TERSOR_SERVER_METRICS_SERVER_METRICS_H_
#define TERSOR_SERVER_METRICS_SERVER_METRICS_H_

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "server/base/mutex.h"
#include "server/engine/supervisor_observer.h"
#include "server/store/records.h"

namespace tersor {

// Thread-safe. Every label takes few values: methods, states, reasons and codes of this program, and the names of its
// RPCs; docs/operations.md lists the metrics. What is known beforehand is there from the start, at 0: a series that
// appears with its first event hides that event from rate(), and a panel without data looks like a broken one.
class ServerMetrics final : public SupervisorObserver {
 public:
  ServerMetrics();

  void OnAttemptStarted(absl::string_view method, absl::Duration waited, bool first) override;
  void OnAttemptEnded(absl::string_view method, v1::JobState state, absl::string_view reason,
                      absl::Duration ran) override;
  void OnWorkers(int count, int64_t rss_bytes, double tokens_per_second) override;

  // `rpc` as gRPC names it, "/tersor.v1.JobService/GetJob"; `code` a grpc::StatusCode. Streams last as long as their
  // client likes and are only counted.
  void OnRpc(absl::string_view rpc, int code, absl::Duration took, bool is_stream);

  // `reason` is one of kAuthReasons.
  void OnAuthRefusal(absl::string_view reason);

  void SetJobs(const std::vector<JobCount>& counts);
  void SetServerMemory(int64_t rss_bytes);

  // Everything in Prometheus' text format 0.0.4.
  std::string Text() const;

 private:
  void StartAtZero();

  prometheus::Registry registry_;
  prometheus::Family<prometheus::Gauge>& jobs_;
  prometheus::Family<prometheus::Histogram>& queue_wait_;
  prometheus::Family<prometheus::Histogram>& run_;
  prometheus::Family<prometheus::Counter>& restarts_;
  prometheus::Family<prometheus::Counter>& rpcs_;
  prometheus::Family<prometheus::Histogram>& rpc_seconds_;
  prometheus::Family<prometheus::Counter>& refusals_;
  prometheus::Gauge& workers_;
  prometheus::Gauge& workers_memory_;
  prometheus::Gauge& tokens_per_second_;
  prometheus::Gauge& server_memory_;
  // The only values of the label "rpc", beside "other".
  std::set<std::string> rpc_labels_;
  Mutex mutex_;
  // Gauges that have been set once, to be set to 0 when their jobs are gone.
  std::set<prometheus::Gauge*> job_gauges_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tersor

#endif  // TERSOR_SERVER_METRICS_SERVER_METRICS_H_
