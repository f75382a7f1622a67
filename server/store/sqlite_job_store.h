// The job store on SQLite.
#ifndef TERSOR_SERVER_STORE_SQLITE_JOB_STORE_H_
#define TERSOR_SERVER_STORE_SQLITE_JOB_STORE_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "server/store/change_bell.h"
#include "server/store/guarded_database.h"
#include "server/store/job_store.h"

namespace tersor {

// `database` outlives it.
class SqliteJobStore final : public JobStore {
 public:
  explicit SqliteJobStore(GuardedDatabase& database) : database_(database) {}

  absl::Status Insert(const JobRecord& record, const v1::Report* report, absl::Time now) override;
  absl::Status InsertSweep(const JobRecord& sweep, const std::vector<NewJob>& points, absl::Time now) override;
  absl::Status SetSweepProgress(absl::string_view id, const v1::Progress& progress, absl::Time now) override;
  absl::Status EndSweep(absl::string_view id, const AttemptOutcome& outcome, absl::Time now) override;
  absl::StatusOr<JobRecord> Get(absl::string_view id) override;
  absl::StatusOr<JobRecord> FindByRequestId(absl::string_view request_id) override;
  absl::StatusOr<std::vector<JobRecord>> List(const JobFilter& filter, int limit, int64_t before_ordinal) override;
  absl::StatusOr<std::vector<JobRecord>> Unfinished() override;
  absl::StatusOr<std::vector<std::string>> QueuedIds() override;
  absl::StatusOr<int64_t> CountQueued() override;
  absl::StatusOr<std::vector<JobRecord>> OpenSweeps() override;
  absl::StatusOr<std::vector<JobRecord>> Children(absl::string_view id) override;
  absl::StatusOr<std::vector<JobRecord>> EndedBefore(absl::Time before) override;
  absl::StatusOr<std::vector<std::string>> FindAnswers(absl::string_view fingerprint) override;
  absl::Status Delete(absl::string_view id) override;
  absl::StatusOr<v1::Report> GetReport(absl::string_view id) override;
  absl::StatusOr<std::vector<JobCount>> CountJobs() override;
  absl::StatusOr<bool> UsesModel(absl::string_view model_path) override;
  absl::StatusOr<JobRecord> RequestCancel(absl::string_view id, absl::Time now) override;
  absl::Status AnswerFromEarlier(absl::string_view id, const v1::Report& report, absl::Time now) override;
  absl::StatusOr<AttemptRecord> StartAttempt(absl::string_view id, absl::string_view token_sha256,
                                             absl::Time now) override;
  absl::Status SetAttemptHandle(absl::string_view id, int attempt, absl::string_view handle) override;
  absl::StatusOr<AttemptRecord> GetAttempt(absl::string_view id, int attempt) override;
  absl::StatusOr<JobRecord> EndAttempt(absl::string_view id, int attempt, const AttemptOutcome& outcome,
                                       absl::Time now) override;
  absl::Status AppendEvents(absl::string_view id, int attempt, int64_t first_number,
                            const std::vector<v1::Event>& events, absl::Time now) override;
  absl::StatusOr<std::vector<v1::Event>> ReadEvents(absl::string_view id, int64_t after, int limit) override;
  uint64_t ChangeCount() const override { return bell_.count(); }
  void WaitForChange(uint64_t seen, absl::Duration timeout) const override { bell_.Wait(seen, timeout); }

 private:
  // Runs `body` in a transaction under the lock and rings the bell when it was stored.
  absl::Status Change(absl::FunctionRef<absl::Status()> body) ABSL_LOCKS_EXCLUDED(database_.mutex);
  // The same for what must not be lost: on a full disk the ballast makes room, and `body` runs once more.
  absl::Status ChangeAtAllCosts(absl::FunctionRef<absl::Status()> body) ABSL_LOCKS_EXCLUDED(database_.mutex);
  absl::StatusOr<std::vector<JobRecord>> Select(absl::string_view where, const std::vector<SqlValue>& values)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  absl::StatusOr<JobRecord> SelectOne(absl::string_view id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  absl::StatusOr<AttemptRecord> SelectAttempt(absl::string_view id, int attempt)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  // The open attempt `attempt`, or FAILED_PRECONDITION.
  absl::StatusOr<AttemptRecord> SelectOpenAttempt(absl::string_view id, int attempt)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  // Moves the job to `state` with message and reason, writes its row and appends the event.
  absl::Status MoveTo(JobRecord& record, v1::JobState state, absl::string_view message, absl::string_view reason,
                      absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  absl::Status AppendEvent(JobRecord& record, v1::Event event, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  // Insert within a transaction.
  absl::Status InsertRow(const JobRecord& record, const v1::Report* report, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  // Opens the parent of a new job again where it is a sweep.
  absl::Status ReopenSweep(const JobRecord& child, absl::Time now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  absl::Status UpdateRow(const JobRecord& record) ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  absl::Status StoreProgress(absl::string_view id, const v1::Progress& progress)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);
  absl::Status StoreReport(absl::string_view id, const v1::Report& report)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(database_.mutex);

  GuardedDatabase& database_;
  ChangeBell bell_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_STORE_SQLITE_JOB_STORE_H_
