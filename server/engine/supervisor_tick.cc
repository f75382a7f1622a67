// The part of Supervisor that runs on its own clock: watching workers and starting attempts.
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/abandoned_files.h"
#include "server/base/log.h"
#include "server/base/timestamp.h"
#include "server/engine/attempt_token.h"
#include "server/engine/supervisor.h"
#include "server/scheduler/scheduler.h"

namespace tersor {
namespace {

AttemptOutcome DescribeDeath(const WorkerStatus& status, int64_t memory_limit) {
  AttemptOutcome outcome;
  outcome.counts_as_failure = true;
  if (status.out_of_memory) {
    outcome.reason = "OUT_OF_MEMORY";
    outcome.message = absl::StrCat("the worker needed more than its limit of ", memory_limit >> 20, " MiB of memory");
  } else {
    outcome.reason = "WORKER_DIED";
    outcome.message = absl::StrCat("the worker ended without an answer: ",
                                   status.ending.empty() ? "it cannot be found any more" : status.ending);
  }
  return outcome;
}

}  // namespace

void Supervisor::Tick() {
  const MutexLock lock(mutex_);
  std::vector<std::string> ids;
  for (const auto& [id, live] : live_) ids.push_back(id);
  for (const std::string& id : ids) LookAfter(id, live_[id]);
  LookAfterLeaving();
  int64_t rss = 0;
  double tokens_per_second = 0;
  for (const auto& [id, live] : live_) {
    rss += live.rss_bytes;
    tokens_per_second += live.tokens_per_second;
  }
  observer_.OnWorkers(static_cast<int>(live_.size()), rss, tokens_per_second);
  if (draining_) return;
  const absl::Status status = StartJobs();
  if (!status.ok()) Log(LogLevel::kError, "starting jobs failed", {{"error", status.ToString()}});
}

void Supervisor::AskToStop(LiveAttempt& live) {
  if (live.asked_to_stop) return;
  live.asked_to_stop = true;
  live.asked_at = clock_.Monotonic();
  executor_.Stop(live.handle, StopMode::kAsk);
}

void Supervisor::LookAfter(const std::string& job_id, LiveAttempt& live) {
  if (live.unstored_end.has_value()) return EndOrRetry(job_id, AttemptOutcome(*live.unstored_end));
  const absl::Duration now = clock_.Monotonic();
  const absl::Duration silent = now - live.last_heard;
  const bool hung = silent > options_.heartbeat_timeout;
  if (live.handle.empty()) {
    if (!hung) return;
    EndOrRetry(job_id, {.next = v1::JOB_STATE_QUEUED,
                        .message = "the server stopped while it started the worker, which never attached",
                        .reason = "SERVER_RESTARTED"});
    return;
  }
  const WorkerStatus status = executor_.Poll(live.handle);
  if (status.running) {
    if (status.rss_bytes > 0) live.rss_bytes = status.rss_bytes;
    const bool overdue = live.asked_to_stop && now - live.asked_at > options_.stop_grace;
    if ((hung || overdue) && !live.killed) {
      live.killed = true;
      live.killed_for.counts_as_failure = hung;
      live.killed_for.reason = hung ? "WORKER_HUNG" : "WORKER_STOPPED";
      live.killed_for.message =
          hung ? absl::StrCat("the worker was not heard of for ", absl::FormatDuration(options_.heartbeat_timeout))
               : "the worker was asked to stop and had to be killed";
      executor_.Stop(live.handle, StopMode::kKill);
    }
    return;
  }
  AttemptOutcome outcome = live.killed ? live.killed_for : DescribeDeath(status, live.memory_limit);
  if (live.asked_to_stop && stopping_workers_) outcome.counts_as_failure = false;
  executor_.Forget(live.handle);
  EndOrRetry(job_id, outcome);
}

void Supervisor::LookAfterLeaving() {
  for (auto leaving = leaving_.begin(); leaving != leaving_.end();) {
    const LeavingWorker& worker = leaving->second;
    if (!executor_.Poll(worker.handle).running) {
      executor_.Forget(worker.handle);
      leaving = leaving_.erase(leaving);
      continue;
    }
    if (clock_.Monotonic() - worker.since > options_.exit_grace) executor_.Stop(worker.handle, StopMode::kKill);
    ++leaving;
  }
}

bool Supervisor::MayStart(const std::string& id) {
  // An attempt whose end could not be stored yet is over, but the job is not its successor's.
  if (leaving_.count(id) != 0 || live_.count(id) != 0) return false;
  const auto resting = resting_.find(id);
  if (resting == resting_.end()) return true;
  if (clock_.Monotonic() < resting->second) return false;
  resting_.erase(resting);
  return true;
}

absl::Status Supervisor::ReadQueue() {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<std::string> ids, store_.QueuedIds());
  std::map<std::string, WaitingJob> waiting;
  for (const std::string& id : ids) {
    if (auto known = waiting_.extract(id); !known.empty()) {
      waiting.insert(std::move(known));
      continue;
    }
    TERSOR_ASSIGN_OR_RETURN(const JobRecord record, store_.Get(id));
    const v1::Job& job = record.job;
    waiting[id] = {{.id = id,
                    .priority = job.priority(),
                    .ordinal = record.ordinal,
                    .waited = absl::ZeroDuration(),
                    .threads = JobThreads(job, limits_),
                    .memory_bytes = JobMemory(job),
                    .fingerprint = record.no_cache ? std::string() : job.plan().fingerprint()},
                   FromTimestamp(job.create_time())};
  }
  waiting_ = std::move(waiting);
  return absl::OkStatus();
}

absl::Status Supervisor::StartJobs() {
  SchedulerSnapshot snapshot;
  snapshot.threads = limits_.threads;
  snapshot.memory_bytes = limits_.memory_bytes;
  int busy_threads = 0;
  for (const auto& [id, live] : live_) {
    snapshot.running.push_back({live.threads, live.memory_bytes, live.fingerprint});
    busy_threads += live.threads;
  }
  // Spares reading the queue at every tick of a busy server.
  if (busy_threads >= limits_.threads) return absl::OkStatus();
  TERSOR_RETURN_IF_ERROR(ReadQueue());
  const absl::Time now = clock_.Now();
  for (const auto& [id, waiting] : waiting_) {
    if (!MayStart(id)) continue;
    snapshot.queued.push_back(waiting.job);
    snapshot.queued.back().waited = now - waiting.create_time;
  }
  for (const std::string& id : JobsToStart(snapshot)) TERSOR_RETURN_IF_ERROR(StartAttempt(id));
  return absl::OkStatus();
}

absl::Status Supervisor::StartAttempt(const std::string& id) {
  TERSOR_ASSIGN_OR_RETURN(const JobRecord record, store_.Get(id));
  if (record.job.state() != v1::JOB_STATE_QUEUED) return absl::OkStatus();
  if (!record.no_cache) {
    // An equal job may have ended while this one waited.
    const auto answer = answers_.TakeAnswer(record.job);
    if (answer.ok() && answer->has_value()) return store_.AnswerFromEarlier(id, **answer, clock_.Now());
    if (!answer.ok())
      Log(LogLevel::kWarning, "an earlier answer could not be taken",
          {{"job", id}, {"error", answer.status().ToString()}});
  }
  const std::string token = NewAttemptToken();
  const absl::Status prepared = PrepareFolder(id, token);
  // Nothing was tried yet: the job waits for room.
  if (absl::IsResourceExhausted(prepared)) {
    RestFor(id, options_.rest_after_full_disk);
    return absl::OkStatus();
  }
  TERSOR_ASSIGN_OR_RETURN(const AttemptRecord attempt, store_.StartAttempt(id, HashAttemptToken(token), clock_.Now()));
  live_[id] = MakeLive(record, attempt.number);
  observer_.OnAttemptStarted(record.method, clock_.Now() - FromTimestamp(record.job.create_time()),
                             attempt.number == 1);
  const absl::StatusOr<std::string> handle =
      prepared.ok() ? executor_.Start(MakeLaunchSpec(record.job, attempt.number)) : prepared;
  if (!handle.ok()) {
    EndOrRetry(id, {.next = v1::JOB_STATE_QUEUED,
                    .message = absl::StrCat("the worker could not be started: ", handle.status().message()),
                    .reason = "WORKER_START_FAILED",
                    .counts_as_failure = true});
    return absl::OkStatus();
  }
  live_[id].handle = *handle;
  Log(LogLevel::kInfo, "attempt started",
      {{"job", id}, {"attempt", int64_t{attempt.number}}, {"worker", *handle}, {"method", record.method}});
  return store_.SetAttemptHandle(id, attempt.number, *handle);
}

absl::Status Supervisor::PrepareFolder(const std::string& id, const std::string& token) {
  // Nobody writes there now: what is half-written is of attempts that were killed.
  RemoveTemporaries(folder_.job(id));
  TERSOR_RETURN_IF_ERROR(folder_.CreateJob(id));
  return WriteTokenFile(folder_.token_file(id), token);
}

}  // namespace tersor
