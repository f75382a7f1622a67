#include "client/cpp/job_watch.h"

#include <string>

#include "absl/time/clock.h"
#include "client/cpp/call_canceller.h"
#include "client/cpp/rpc_status.h"

namespace tersor::client {
namespace {

class Watch {
 public:
  Watch(const JobClient& jobs, absl::string_view id, const WatchOptions& options,
        const std::function<void(const v1::Event&)>& on_event)
      : jobs_(jobs),
        id_(id),
        options_(options),
        on_event_(on_event),
        last_(options.after_sequence),
        backoff_(options.backoff) {}

  absl::StatusOr<v1::Job> Run();

 private:
  // One stream to its end.
  absl::Status ReadStream();
  // Waits before the next try, or says why there is none.
  absl::Status WaitAfter(const absl::Status& broken);
  absl::Status CheckLimits() const;

  const JobClient& jobs_;
  const std::string id_;
  const WatchOptions& options_;
  const std::function<void(const v1::Event&)>& on_event_;
  int64_t last_;
  Backoff backoff_;
  bool connected_once_ = false;
};

absl::Status Watch::CheckLimits() const {
  TERSOR_RETURN_IF_ERROR(CheckCancelled(options_.cancellation));
  if (absl::Now() >= options_.deadline) return absl::DeadlineExceededError("the job has not ended in time");
  return absl::OkStatus();
}

absl::Status Watch::ReadStream() {
  v1::WatchJobRequest request;
  request.set_id(id_);
  request.set_after_sequence(last_);
  grpc::ClientContext context;
  if (options_.deadline < absl::InfiniteFuture()) context.set_deadline(absl::ToChronoTime(options_.deadline));
  CallCanceller canceller(context, options_.cancellation);
  std::unique_ptr<grpc::ClientReader<v1::Event>> reader = jobs_.stub().WatchJob(&context, request);
  v1::Event event;
  while (reader->Read(&event)) {
    connected_once_ = true;
    backoff_.Reset();
    // A server that resumes one event early must not make progress jump back.
    if (event.sequence() != 0 && event.sequence() <= last_) continue;
    last_ = event.sequence();
    on_event_(event);
  }
  return FromGrpc(reader->Finish());
}

absl::Status Watch::WaitAfter(const absl::Status& broken) {
  if (!connected_once_) return Annotate(broken, "server " + jobs_.connection().address());
  absl::Duration wait = backoff_.Next(absl::Now());
  if (wait == absl::InfiniteDuration()) {
    return Annotate(broken, "server " + jobs_.connection().address() + " did not come back");
  }
  if (options_.on_reconnect) options_.on_reconnect(broken, wait);
  return SleepFor(wait, options_.deadline, options_.cancellation);
}

absl::StatusOr<v1::Job> Watch::Run() {
  while (true) {
    absl::Status status = ReadStream();
    TERSOR_RETURN_IF_ERROR(CheckLimits());
    if (status.ok()) {
      connected_once_ = true;
      absl::StatusOr<v1::Job> job = jobs_.Get(id_);
      if (job.ok() && IsTerminal(job->state()) && job->last_event_sequence() <= last_) return job;
      // A server that drains ends its streams early, with events still to come.
      status = job.ok() ? absl::UnavailableError("the server ended the stream before the job's end") : job.status();
    }
    if (!IsTransient(status)) return status;
    TERSOR_RETURN_IF_ERROR(WaitAfter(status));
  }
}

}  // namespace

absl::StatusOr<v1::Job> WatchJob(const JobClient& jobs, absl::string_view id, const WatchOptions& options,
                                 const std::function<void(const v1::Event&)>& on_event) {
  return Watch(jobs, id, options, on_event).Run();
}

}  // namespace tersor::client
