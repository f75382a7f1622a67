#include "server/metrics/server_metrics.h"

#include <grpcpp/support/status.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>

#include "absl/strings/ascii.h"
#include "server/auth/auth_refusal.h"
#include "server/base/status_code_name.h"
#include "server/metrics/job_methods.h"
#include "server/metrics/served_rpcs.h"
#include "server/store/job_state.h"

namespace tersor {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;

prometheus::Histogram::BucketBoundaries JobBuckets() {
  return {0.1, 1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 4 * 3600, 24 * 3600};
}

prometheus::Histogram::BucketBoundaries RpcBuckets() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10};
}

std::string StateLabel(v1::JobState state) { return absl::AsciiStrToLower(JobStateName(state)); }

constexpr absl::string_view kReasons[] = {"OUT_OF_MEMORY",  "WORKER_DIED",         "WORKER_HUNG",
                                          "WORKER_STOPPED", "WORKER_START_FAILED", "SERVER_RESTARTED"};

// Reasons come from workers too: only the known ones become a label.
std::string ReasonLabel(absl::string_view reason) {
  const bool known = std::find(std::begin(kReasons), std::end(kReasons), reason) != std::end(kReasons);
  return known ? absl::AsciiStrToLower(reason) : "other";
}

constexpr v1::JobState kStates[] = {v1::JOB_STATE_QUEUED, v1::JOB_STATE_RUNNING, v1::JOB_STATE_SUCCEEDED,
                                    v1::JOB_STATE_FAILED, v1::JOB_STATE_CANCELLED};

}  // namespace

ServerMetrics::ServerMetrics()
    : jobs_(BuildGauge().Name("tersor_jobs").Help("Jobs by state and method").Register(registry_)),
      queue_wait_(BuildHistogram()
                      .Name("tersor_job_queue_wait_seconds")
                      .Help("From submission to the first attempt")
                      .Register(registry_)),
      run_(BuildHistogram()
               .Name("tersor_attempt_run_seconds")
               .Help("From an attempt's start to its end, by the state of its job then")
               .Register(registry_)),
      restarts_(BuildCounter()
                    .Name("tersor_worker_restarts_total")
                    .Help("Attempts that ended with their job back in the queue")
                    .Register(registry_)),
      rpcs_(BuildCounter().Name("tersor_rpc_total").Help("RPCs answered, by status code").Register(registry_)),
      rpc_seconds_(BuildHistogram()
                       .Name("tersor_rpc_latency_seconds")
                       .Help("Time to answer, streams left out")
                       .Register(registry_)),
      refusals_(BuildCounter()
                    .Name("tersor_auth_refusals_total")
                    .Help("Calls refused for their API token")
                    .Register(registry_)),
      workers_(BuildGauge().Name("tersor_workers").Help("Running workers").Register(registry_).Add({})),
      workers_memory_(BuildGauge()
                          .Name("tersor_workers_resident_memory_bytes")
                          .Help("Resident memory of all workers, mapped files left out")
                          .Register(registry_)
                          .Add({})),
      tokens_per_second_(BuildGauge()
                             .Name("tersor_tokens_per_second")
                             .Help("Tokens that all workers compute per second, from their newest progress")
                             .Register(registry_)
                             .Add({})),
      server_memory_(BuildGauge()
                         .Name("tersor_server_resident_memory_bytes")
                         .Help("Resident memory of tersord, mapped files left out")
                         .Register(registry_)
                         .Add({})) {
  BuildGauge()
      .Name("tersor_build_info")
      .Help("1, with the version as label")
      .Register(registry_)
      .Add({{"version", TERSOR_VERSION}})
      .Set(1);
  StartAtZero();
}

void ServerMetrics::StartAtZero() {
  for (const absl::string_view reason : kReasons) restarts_.Add({{"reason", ReasonLabel(reason)}});
  for (const absl::string_view reason : kAuthReasons) refusals_.Add({{"reason", absl::AsciiStrToLower(reason)}});
  for (const std::string& method : JobMethods()) {
    queue_wait_.Add({{"method", method}}, JobBuckets());
    for (const v1::JobState state : kStates) {
      jobs_.Add({{"state", StateLabel(state)}, {"method", method}});
      // An attempt ends with its job anywhere but RUNNING.
      if (state != v1::JOB_STATE_RUNNING) run_.Add({{"method", method}, {"state", StateLabel(state)}}, JobBuckets());
    }
  }
  for (const ServedRpc& rpc : ServedRpcs()) {
    rpc_labels_.insert(rpc.label);
    rpcs_.Add({{"rpc", rpc.label}, {"code", StatusCodeName(grpc::StatusCode::OK)}});
    if (!rpc.is_stream) rpc_seconds_.Add({{"rpc", rpc.label}}, RpcBuckets());
  }
}

std::string ServerMetrics::Text() const { return prometheus::TextSerializer().Serialize(registry_.Collect()); }

void ServerMetrics::OnAttemptStarted(absl::string_view method, absl::Duration waited, bool first) {
  if (first) queue_wait_.Add({{"method", std::string(method)}}, JobBuckets()).Observe(absl::ToDoubleSeconds(waited));
}

void ServerMetrics::OnAttemptEnded(absl::string_view method, v1::JobState state, absl::string_view reason,
                                   absl::Duration ran) {
  run_.Add({{"method", std::string(method)}, {"state", StateLabel(state)}}, JobBuckets())
      .Observe(absl::ToDoubleSeconds(ran));
  if (state == v1::JOB_STATE_QUEUED) restarts_.Add({{"reason", ReasonLabel(reason)}}).Increment();
}

void ServerMetrics::OnWorkers(int count, int64_t rss_bytes, double tokens_per_second) {
  workers_.Set(count);
  workers_memory_.Set(static_cast<double>(rss_bytes));
  tokens_per_second_.Set(tokens_per_second);
}

void ServerMetrics::OnRpc(absl::string_view rpc, int code, absl::Duration took, bool is_stream) {
  std::string label = RpcLabel(rpc);
  if (rpc_labels_.count(label) == 0) label = "other";
  rpcs_.Add({{"rpc", label}, {"code", StatusCodeName(code)}}).Increment();
  if (!is_stream) rpc_seconds_.Add({{"rpc", label}}, RpcBuckets()).Observe(absl::ToDoubleSeconds(took));
}

void ServerMetrics::OnAuthRefusal(absl::string_view reason) {
  refusals_.Add({{"reason", absl::AsciiStrToLower(reason)}}).Increment();
}

void ServerMetrics::SetJobs(const std::vector<JobCount>& counts) {
  const MutexLock lock(mutex_);
  std::set<prometheus::Gauge*> gone = job_gauges_;
  for (const JobCount& count : counts) {
    for (const v1::JobState state : kStates) jobs_.Add({{"state", StateLabel(state)}, {"method", count.method}});
    prometheus::Gauge& gauge = jobs_.Add({{"state", StateLabel(count.state)}, {"method", count.method}});
    gauge.Set(static_cast<double>(count.count));
    job_gauges_.insert(&gauge);
    gone.erase(&gauge);
  }
  for (prometheus::Gauge* gauge : gone) gauge->Set(0);
}

void ServerMetrics::SetServerMemory(int64_t rss_bytes) { server_memory_.Set(static_cast<double>(rss_bytes)); }

}  // namespace tersor
