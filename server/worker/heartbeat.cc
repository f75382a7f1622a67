#include "server/worker/heartbeat.h"

#include <unistd.h>

#include <system_error>
#include <utility>

#include "server/base/log.h"
#include "server/executor/process_info.h"

namespace tersor {

Heartbeat::Heartbeat(ServerLink& link, std::string job_id, int attempt, std::filesystem::path workspace,
                     CancellationToken& cancellation, absl::Duration period)
    : link_(link),
      job_id_(std::move(job_id)),
      attempt_(attempt),
      workspace_(std::move(workspace)),
      cancellation_(cancellation),
      period_(period),
      thread_([this] { Run(); }) {}

Heartbeat::~Heartbeat() {
  {
    const MutexLock lock(mutex_);
    stop_ = true;
  }
  thread_.join();
}

bool Heartbeat::abandoned() const {
  const MutexLock lock(mutex_);
  return abandoned_;
}

void Heartbeat::Run() {
  while (true) {
    BeatOnce();
    const MutexLock lock(mutex_);
    if (mutex_.AwaitWithTimeout([this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stop_; }, period_)) return;
  }
}

void Heartbeat::BeatOnce() {
  v1::HeartbeatRequest request;
  request.set_job_id(job_id_);
  request.set_attempt(attempt_);
  request.set_rss_bytes(ReadUnsharedRss(getpid()));
  v1::HeartbeatResponse response;
  const absl::Status status = link_.CallOnce(
      [&](auto& stub, grpc::ClientContext& context) { return stub.Heartbeat(&context, request, &response); });
  std::error_code error;
  const bool workspace_gone = !std::filesystem::exists(workspace_, error);
  const bool over = IsFencedOff(status) || link_.PatienceIsOver() || workspace_gone;
  if (over && !cancellation_.cancelled()) {
    Log(LogLevel::kWarning, "this attempt is over: stopping",
        {{"job", job_id_}, {"attempt", int64_t{attempt_}}, {"error", status.ToString()}});
  }
  if (over) {
    const MutexLock lock(mutex_);
    abandoned_ = true;
    link_.Close();
  }
  if (over || (status.ok() && response.cancel())) cancellation_.Cancel();
}

}  // namespace tersor
