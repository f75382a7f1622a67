// Where jobs, their attempts and their events live.
#ifndef TERSOR_SERVER_STORE_JOB_STORE_H_
#define TERSOR_SERVER_STORE_JOB_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/status.h"
#include "server/store/job_filter.h"
#include "server/store/records.h"
#include "tersor/v1/event.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Thread-safe; every change is durable when the call returns, and is all or nothing. Unknown ids are NOT_FOUND, steps
// that the job's state does not allow FAILED_PRECONDITION (job_state.h). Every change of state appends a StateChanged
// event; a job's events are numbered from 1 without gaps.
class JobStore {
 public:
  virtual ~JobStore() = default;

  // Stores a new job in state QUEUED, or SUCCEEDED with the report of an earlier job. ALREADY_EXISTS when the id or the
  // request_id is taken. A sweep that has ended is RUNNING again when it is the parent; a cancelled one is
  // FAILED_PRECONDITION.
  virtual absl::Status Insert(const JobRecord& record, const v1::Report* report, absl::Time now) = 0;
  // Stores a sweep in state RUNNING together with its points, each as Insert does.
  virtual absl::Status InsertSweep(const JobRecord& sweep, const std::vector<NewJob>& points, absl::Time now) = 0;
  // Tells a sweep's watchers how far its points have come.
  virtual absl::Status SetSweepProgress(absl::string_view id, const v1::Progress& progress, absl::Time now) = 0;
  // Moves a RUNNING sweep to its end.
  virtual absl::Status EndSweep(absl::string_view id, const AttemptOutcome& outcome, absl::Time now) = 0;
  virtual absl::StatusOr<JobRecord> Get(absl::string_view id) = 0;
  virtual absl::StatusOr<JobRecord> FindByRequestId(absl::string_view request_id) = 0;
  // Newest first, at most `limit`, only with an ordinal below `before_ordinal` unless that is 0.
  virtual absl::StatusOr<std::vector<JobRecord>> List(const JobFilter& filter, int limit, int64_t before_ordinal) = 0;
  // QUEUED and RUNNING jobs, oldest first.
  virtual absl::StatusOr<std::vector<JobRecord>> Unfinished() = 0;
  // Ids of QUEUED jobs, in order of submission, and how many there are: cheap, however long the queue.
  virtual absl::StatusOr<std::vector<std::string>> QueuedIds() = 0;
  virtual absl::StatusOr<int64_t> CountQueued() = 0;
  // Sweeps that have not ended, oldest first.
  virtual absl::StatusOr<std::vector<JobRecord>> OpenSweeps() = 0;
  // Jobs whose parent this is, oldest first.
  virtual absl::StatusOr<std::vector<JobRecord>> Children(absl::string_view id) = 0;
  // Jobs that ended before `before`, oldest end first.
  virtual absl::StatusOr<std::vector<JobRecord>> EndedBefore(absl::Time before) = 0;
  // Ids of SUCCEEDED jobs with this fingerprint, newest first.
  virtual absl::StatusOr<std::vector<std::string>> FindAnswers(absl::string_view fingerprint) = 0;
  // Removes an ended job with its events and attempts.
  virtual absl::Status Delete(absl::string_view id) = 0;
  // FAILED_PRECONDITION while the job has none.
  virtual absl::StatusOr<v1::Report> GetReport(absl::string_view id) = 0;
  virtual absl::StatusOr<std::vector<JobCount>> CountJobs() = 0;
  // Whether a job that has not ended reads what lies at or below this path: as its model, its original or its baseline.
  virtual absl::StatusOr<bool> UsesModel(absl::string_view model_path) = 0;

  // QUEUED -> CANCELLED at once; RUNNING: remembers the wish; ended: nothing. Returns the job as it is then.
  virtual absl::StatusOr<JobRecord> RequestCancel(absl::string_view id, absl::Time now) = 0;
  // QUEUED -> SUCCEEDED with an earlier job's report.
  virtual absl::Status AnswerFromEarlier(absl::string_view id, const v1::Report& report, absl::Time now) = 0;

  // QUEUED -> RUNNING with a new, open attempt whose number is one more than the last one's.
  virtual absl::StatusOr<AttemptRecord> StartAttempt(absl::string_view id, absl::string_view token_sha256,
                                                     absl::Time now) = 0;
  virtual absl::Status SetAttemptHandle(absl::string_view id, int attempt, absl::string_view handle) = 0;
  virtual absl::StatusOr<AttemptRecord> GetAttempt(absl::string_view id, int attempt) = 0;
  // Closes the open attempt and moves the job on. FAILED_PRECONDITION when `attempt` is not the open one. A job whose
  // failures have reached max_attempts goes to FAILED where `outcome` says QUEUED; one that was asked to cancel goes to
  // CANCELLED. Returns the job as it is then.
  virtual absl::StatusOr<JobRecord> EndAttempt(absl::string_view id, int attempt, const AttemptOutcome& outcome,
                                               absl::Time now) = 0;

  // Appends the events that this attempt numbered first_number, first_number + 1, ...; those it published before are
  // skipped. FAILED_PRECONDITION when `attempt` is not the open one, INVALID_ARGUMENT when numbers are missing.
  virtual absl::Status AppendEvents(absl::string_view id, int attempt, int64_t first_number,
                                    const std::vector<v1::Event>& events, absl::Time now) = 0;
  // In order, those after `after`, at most `limit`.
  virtual absl::StatusOr<std::vector<v1::Event>> ReadEvents(absl::string_view id, int64_t after, int limit) = 0;

  // Grows with every change. WaitForChange returns when it differs from `seen` or after `timeout`.
  virtual uint64_t ChangeCount() const = 0;
  virtual void WaitForChange(uint64_t seen, absl::Duration timeout) const = 0;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_JOB_STORE_H_
