#include "server/engine/supervisor.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/error_details.h"
#include "server/base/log.h"
#include "server/engine/attempt_token.h"

namespace tersor {

Supervisor::Supervisor(JobStore& store, Executor& executor, const DataFolder& folder, AnswerCache& answers,
                       const Clock& clock, SupervisorObserver& observer, ServerLimits limits, SupervisorOptions options)
    : store_(store),
      executor_(executor),
      folder_(folder),
      answers_(answers),
      clock_(clock),
      observer_(observer),
      limits_(std::move(limits)),
      options_(options) {}

LaunchSpec Supervisor::MakeLaunchSpec(const v1::Job& job, int attempt) const {
  return {.job_id = job.id(),
          .attempt = attempt,
          .endpoint_file = folder_.worker_endpoint_file(),
          .token_file = folder_.token_file(job.id()),
          .log_file = folder_.attempt_log(job.id(), attempt),
          .memory_bytes = WorkerMemoryLimit(job, limits_)};
}

Supervisor::LiveAttempt Supervisor::MakeLive(const JobRecord& record, int number) const {
  LiveAttempt live;
  live.number = number;
  live.method = record.method;
  live.fingerprint = record.no_cache ? std::string() : record.job.plan().fingerprint();
  live.threads = JobThreads(record.job, limits_);
  live.memory_bytes = JobMemory(record.job);
  live.memory_limit = WorkerMemoryLimit(record.job, limits_);
  live.last_heard = clock_.Monotonic();
  live.start_time = clock_.Now();
  return live;
}

absl::Status Supervisor::Recover() {
  const MutexLock lock(mutex_);
  TERSOR_ASSIGN_OR_RETURN(const std::vector<JobRecord> unfinished, store_.Unfinished());
  for (const JobRecord& record : unfinished) {
    if (record.job.state() == v1::JOB_STATE_RUNNING && !IsSweep(record)) TERSOR_RETURN_IF_ERROR(RecoverJob(record));
  }
  return absl::OkStatus();
}

absl::Status Supervisor::RecoverJob(const JobRecord& record) {
  const int number = record.job.attempt();
  TERSOR_ASSIGN_OR_RETURN(const AttemptRecord attempt, store_.GetAttempt(record.job.id(), number));
  LiveAttempt live = MakeLive(record, number);
  live.start_time = attempt.start_time;
  live.handle = attempt.handle;
  live_[record.job.id()] = live;
  // Without a handle the server died while it started the worker, which may yet attach: its silence will tell.
  if (live.handle.empty()) return absl::OkStatus();
  const absl::Status status = executor_.Reattach(live.handle, MakeLaunchSpec(record.job, number));
  Log(LogLevel::kInfo, status.ok() ? "worker taken over" : "worker ended while no server ran",
      {{"job", record.job.id()}, {"attempt", int64_t{number}}});
  if (status.ok() && record.cancel_requested) AskToStop(live_[record.job.id()]);
  if (!status.ok()) {
    // Whatever ended it ended the server too, or came while there was none: not the job's fault.
    EndOrRetry(record.job.id(), {.next = v1::JOB_STATE_QUEUED,
                                 .message = "the worker ended while the server was not running",
                                 .reason = "SERVER_RESTARTED"});
  }
  return absl::OkStatus();
}

void Supervisor::Drain() {
  const MutexLock lock(mutex_);
  draining_ = true;
}

void Supervisor::StopWorkers() {
  const MutexLock lock(mutex_);
  draining_ = true;
  stopping_workers_ = true;
  for (auto& [id, live] : live_) AskToStop(live);
}

bool Supervisor::HasWorkers() const {
  const MutexLock lock(mutex_);
  return !live_.empty();
}

absl::StatusOr<JobRecord> Supervisor::Cancel(absl::string_view id) {
  const MutexLock lock(mutex_);
  TERSOR_ASSIGN_OR_RETURN(JobRecord record, store_.RequestCancel(id, clock_.Now()));
  const auto live = live_.find(std::string(id));
  if (record.cancel_requested && live != live_.end()) AskToStop(live->second);
  return record;
}

absl::Status Supervisor::CheckCaller(const AttemptCaller& caller) {
  const absl::StatusOr<AttemptRecord> attempt = store_.GetAttempt(caller.job_id, caller.attempt);
  // A store that cannot be read says nothing about the attempt: the worker shall ask again.
  if (!attempt.ok() && !absl::IsNotFound(attempt.status())) return attempt.status();
  // One answer for an unknown attempt and for a wrong token: a guesser learns nothing.
  if (!attempt.ok() || !AttemptTokenMatches(caller.token, attempt->token_sha256)) {
    return WithReason(absl::UnauthenticatedError("unknown attempt or wrong token"), "WRONG_ATTEMPT_TOKEN");
  }
  const auto live = live_.find(caller.job_id);
  if (live == live_.end() || live->second.number != caller.attempt || live->second.unstored_end.has_value()) {
    return WithReason(absl::FailedPreconditionError(
                          absl::StrCat("attempt ", caller.attempt, " of job ", caller.job_id, " is over: stop")),
                      "STALE_ATTEMPT");
  }
  live->second.last_heard = clock_.Monotonic();
  return absl::OkStatus();
}

absl::StatusOr<v1::AttemptSpec> Supervisor::Attach(const AttemptCaller& caller, int64_t process_id) {
  const MutexLock lock(mutex_);
  TERSOR_RETURN_IF_ERROR(CheckCaller(caller));
  TERSOR_ASSIGN_OR_RETURN(const JobRecord record, store_.Get(caller.job_id));
  LiveAttempt& live = live_[caller.job_id];
  if (live.handle.empty()) {
    TERSOR_ASSIGN_OR_RETURN(live.handle, executor_.Adopt(process_id, MakeLaunchSpec(record.job, caller.attempt)));
    TERSOR_RETURN_IF_ERROR(store_.SetAttemptHandle(caller.job_id, caller.attempt, live.handle));
  }
  v1::AttemptSpec spec;
  spec.set_job_id(caller.job_id);
  spec.set_attempt(caller.attempt);
  *spec.mutable_recipe() = record.job.recipe();
  spec.mutable_recipe()->set_model(record.model_path);
  *spec.mutable_labels() = record.job.labels();
  spec.set_workspace(folder_.job(caller.job_id).string());
  for (const std::filesystem::path& path : limits_.data_paths) spec.add_data_paths(path.string());
  for (const std::filesystem::path& path : limits_.model_roots) spec.add_model_roots(path.string());
  spec.add_model_roots(folder_.models().string());
  spec.set_cache_dir(folder_.cache().string());
  spec.set_threads(JobThreads(record.job, limits_));
  spec.set_memory_bytes(WorkerMemoryLimit(record.job, limits_));
  for (const v1::GateBaseline& baseline : record.job.plan().baselines()) {
    absl::StatusOr<v1::Report> report = store_.GetReport(baseline.job_id());
    // Deleted since: the gates that need it will be inconclusive and say so.
    if (report.ok()) (*spec.mutable_baselines())[baseline.reference()] = *std::move(report);
  }
  return spec;
}

absl::StatusOr<bool> Supervisor::Heartbeat(const AttemptCaller& caller, int64_t rss_bytes) {
  const MutexLock lock(mutex_);
  TERSOR_RETURN_IF_ERROR(CheckCaller(caller));
  LiveAttempt& live = live_[caller.job_id];
  live.rss_bytes = rss_bytes;
  return live.asked_to_stop;
}

absl::Status Supervisor::Publish(const AttemptCaller& caller, const v1::PublishEventsRequest& request) {
  {
    const MutexLock lock(mutex_);
    TERSOR_RETURN_IF_ERROR(CheckCaller(caller));
    for (const v1::Event& event : request.events()) {
      if (event.has_progress()) live_[caller.job_id].tokens_per_second = event.progress().tokens_per_second();
      // States are the server's to tell.
      if (event.has_state_changed()) return absl::InvalidArgumentError("a worker cannot publish changes of state");
    }
  }
  return store_.AppendEvents(caller.job_id, caller.attempt, request.first_number(),
                             {request.events().begin(), request.events().end()}, clock_.Now());
}

absl::Status Supervisor::Complete(const AttemptCaller& caller, const v1::CompleteAttemptRequest& request) {
  const MutexLock lock(mutex_);
  TERSOR_RETURN_IF_ERROR(CheckCaller(caller));
  AttemptOutcome outcome;
  if (request.has_report()) {
    outcome.next = v1::JOB_STATE_SUCCEEDED;
    outcome.report = request.report();
    outcome.report->set_job_id(caller.job_id);
  } else if (request.has_failure()) {
    const v1::CompleteAttemptRequest::Failure& failure = request.failure();
    const bool stopped = failure.code() == static_cast<int>(absl::StatusCode::kCancelled);
    outcome.message = failure.message();
    outcome.reason = failure.reason();
    outcome.next = failure.retryable() || stopped ? v1::JOB_STATE_QUEUED : v1::JOB_STATE_FAILED;
    outcome.counts_as_failure = !(stopped && stopping_workers_);
  } else {
    return absl::InvalidArgumentError("neither a report nor a failure");
  }
  const std::string handle = live_[caller.job_id].handle;
  // Acknowledged only once it is stored: until then the worker goes on offering it.
  TERSOR_RETURN_IF_ERROR(End(caller.job_id, outcome));
  leaving_[caller.job_id] = {handle, clock_.Monotonic()};
  return absl::OkStatus();
}

absl::Status Supervisor::End(const std::string& job_id, const AttemptOutcome& outcome) {
  const LiveAttempt live = live_[job_id];
  const absl::StatusOr<JobRecord> record = store_.EndAttempt(job_id, live.number, outcome, clock_.Now());
  if (!record.ok()) {
    Log(LogLevel::kError, "attempt's end could not be stored",
        {{"job", job_id}, {"attempt", int64_t{live.number}}, {"error", record.status().ToString()}});
    return record.status();
  }
  live_.erase(job_id);
  Rest(*record, outcome);
  observer_.OnAttemptEnded(live.method, record->job.state(), record->job.status_reason(),
                           clock_.Now() - live.start_time);
  Log(outcome.counts_as_failure ? LogLevel::kWarning : LogLevel::kInfo, "attempt ended",
      {{"job", job_id},
       {"attempt", int64_t{live.number}},
       {"state", v1::JobState_Name(record->job.state())},
       {"reason", record->job.status_reason()},
       {"detail", record->job.status_message()},
       {"seconds", absl::ToDoubleSeconds(clock_.Now() - live.start_time)}});
  return absl::OkStatus();
}

void Supervisor::EndOrRetry(const std::string& job_id, const AttemptOutcome& outcome) {
  if (End(job_id, outcome).ok()) return;
  // The store cannot be written (full disk): nothing works on the job, and what became of it must not be forgotten.
  live_[job_id].unstored_end = outcome;
}

void Supervisor::Rest(const JobRecord& record, const AttemptOutcome& outcome) {
  const bool again = record.job.state() == v1::JOB_STATE_QUEUED;
  if (!again || outcome.reason != kFullDiskReason || record.failures < 1) return;
  RestFor(record.job.id(), options_.rest_after_full_disk * (int64_t{1} << std::min(record.failures - 1, 10)));
}

void Supervisor::RestFor(const std::string& id, absl::Duration rest) {
  resting_[id] = clock_.Monotonic() + rest;
  Log(LogLevel::kWarning, "job rests until there may be room", {{"job", id}, {"seconds", absl::ToDoubleSeconds(rest)}});
}

}  // namespace tersor
