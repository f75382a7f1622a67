// Starts attempts, listens to their workers and ends them: the only place that moves jobs on.
#ifndef TERSOR_SERVER_ENGINE_SUPERVISOR_H_
#define TERSOR_SERVER_ENGINE_SUPERVISOR_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "server/base/clock.h"
#include "server/base/mutex.h"
#include "server/engine/answer_cache.h"
#include "server/engine/server_limits.h"
#include "server/engine/supervisor_observer.h"
#include "server/executor/executor.h"
#include "server/scheduler/scheduler.h"
#include "server/store/data_folder.h"
#include "server/store/job_store.h"
#include "tersor/v1/worker_service.pb.h"

namespace tersor {

struct SupervisorOptions {
  // A worker that has not been heard of for so long is taken for hung and killed.
  absl::Duration heartbeat_timeout = absl::Seconds(20);
  // Between asking a worker to stop and killing it; cancelling takes effect within 2 seconds.
  absl::Duration stop_grace = absl::Milliseconds(1200);
  // Between a worker's last call and its being killed, should it not end by itself.
  absl::Duration exit_grace = absl::Seconds(10);
  // Before a job that ended at a full disk is tried again, doubled with every try: room takes time to be made.
  absl::Duration rest_after_full_disk = absl::Seconds(30);
};

// Who calls: every call of a worker names its attempt and shows its token.
struct AttemptCaller {
  std::string job_id;
  int attempt = 0;
  std::string token;
};

// Thread-safe. Tick is called several times a second by one thread; the others are RPC handlers. Every call of a worker
// gives UNAUTHENTICATED for a wrong token and FAILED_PRECONDITION for an attempt that is not the job's current one.
class Supervisor {
 public:
  // All references outlive it.
  Supervisor(JobStore& store, Executor& executor, const DataFolder& folder, AnswerCache& answers, const Clock& clock,
             SupervisorObserver& observer, ServerLimits limits, SupervisorOptions options);

  // Takes over the attempts that an earlier server left running. Call once, before the first Tick.
  absl::Status Recover();
  // Looks after running workers, then starts what the scheduler allows.
  void Tick();
  // No new attempts from now on; running workers go on and will find the next server.
  void Drain();
  // Asks every worker to stop at its checkpoint and puts its job back to the queue, without counting a try.
  void StopWorkers();
  bool HasWorkers() const;

  absl::StatusOr<JobRecord> Cancel(absl::string_view id);

  absl::StatusOr<v1::AttemptSpec> Attach(const AttemptCaller& caller, int64_t process_id);
  // Whether the worker should stop.
  absl::StatusOr<bool> Heartbeat(const AttemptCaller& caller, int64_t rss_bytes);
  absl::Status Publish(const AttemptCaller& caller, const v1::PublishEventsRequest& request);
  absl::Status Complete(const AttemptCaller& caller, const v1::CompleteAttemptRequest& request);

 private:
  struct LiveAttempt {
    int number = 0;
    std::string handle;
    std::string method;
    std::string fingerprint;
    int threads = 1;
    // Set aside by the scheduler, and where the executor ends the worker.
    int64_t memory_bytes = 0;
    int64_t memory_limit = 0;
    absl::Duration last_heard;
    absl::Time start_time;
    bool asked_to_stop = false;
    absl::Duration asked_at;
    bool killed = false;
    // Why this server killed it, where it was not asked to.
    AttemptOutcome killed_for;
    // How it ended, where that could not be stored yet.
    std::optional<AttemptOutcome> unstored_end;
    int64_t rss_bytes = 0;
    double tokens_per_second = 0;
  };
  // A worker that has made its last call and should end by itself.
  struct LeavingWorker {
    std::string handle;
    absl::Duration since;
  };

  absl::Status CheckCaller(const AttemptCaller& caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RecoverJob(const JobRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  LiveAttempt MakeLive(const JobRecord& record, int number) const;
  LaunchSpec MakeLaunchSpec(const v1::Job& job, int attempt) const;

  void LookAfter(const std::string& job_id, LiveAttempt& live) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LookAfterLeaving() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AskToStop(LiveAttempt& live) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The attempt is over once this is OK; otherwise nothing has changed.
  absl::Status End(const std::string& job_id, const AttemptOutcome& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // For an attempt whose worker is gone: ends it now, or at a later tick.
  void EndOrRetry(const std::string& job_id, const AttemptOutcome& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // A job of the queue as the scheduler sees it, which stays the same while it waits.
  struct WaitingJob {
    QueuedJob job;
    absl::Time create_time;
  };
  // Brings waiting_ up to date.
  absl::Status ReadQueue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Rest(const JobRecord& record, const AttemptOutcome& outcome) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RestFor(const std::string& id, absl::Duration rest) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayStart(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status StartJobs() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status StartAttempt(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes the job's folder and its token's file.
  absl::Status PrepareFolder(const std::string& id, const std::string& token);

  JobStore& store_;
  Executor& executor_;
  const DataFolder& folder_;
  AnswerCache& answers_;
  const Clock& clock_;
  SupervisorObserver& observer_;
  const ServerLimits limits_;
  const SupervisorOptions options_;

  mutable Mutex mutex_;
  std::map<std::string, LiveAttempt> live_ ABSL_GUARDED_BY(mutex_);
  // By job id: a job's next attempt waits until its last worker is gone, as both write to one workspace.
  std::map<std::string, LeavingWorker> leaving_ ABSL_GUARDED_BY(mutex_);
  // By job id: not to be tried again before this moment of the monotonic clock. A new server tries at once.
  std::map<std::string, absl::Duration> resting_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, WaitingJob> waiting_ ABSL_GUARDED_BY(mutex_);
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_workers_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_SUPERVISOR_H_
