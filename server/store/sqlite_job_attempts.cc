// The part of SqliteJobStore that moves jobs from state to state.
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/base/timestamp.h"
#include "server/store/attempt_outcome.h"
#include "server/store/job_state.h"
#include "server/store/sqlite_job_store.h"

namespace tersor {

absl::Status SqliteJobStore::MoveTo(JobRecord& record, v1::JobState state, absl::string_view message,
                                    absl::string_view reason, absl::Time now) {
  TERSOR_RETURN_IF_ERROR(CheckTransition(record.job.state(), state));
  record.job.set_state(state);
  record.job.set_status_message(std::string(message));
  record.job.set_status_reason(std::string(reason));
  if (state == v1::JOB_STATE_RUNNING && !record.job.has_start_time())
    *record.job.mutable_start_time() = ToTimestamp(now);
  if (IsTerminal(state)) *record.job.mutable_end_time() = ToTimestamp(now);
  v1::Event event;
  event.mutable_state_changed()->set_state(state);
  event.mutable_state_changed()->set_attempt(record.job.attempt());
  event.mutable_state_changed()->set_reason(std::string(message));
  return AppendEvent(record, std::move(event), now);
}

absl::StatusOr<JobRecord> SqliteJobStore::RequestCancel(absl::string_view id, absl::Time now) {
  JobRecord record;
  TERSOR_RETURN_IF_ERROR(ChangeAtAllCosts([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_ASSIGN_OR_RETURN(record, SelectOne(id));
    if (IsTerminal(record.job.state())) return absl::OkStatus();
    record.cancel_requested = true;
    if (record.job.state() == v1::JOB_STATE_QUEUED) {
      return MoveTo(record, v1::JOB_STATE_CANCELLED, "cancelled on request", "CANCELLED", now);
    }
    record.job.set_status_message("cancelling");
    return UpdateRow(record);
  }));
  return record;
}

absl::Status SqliteJobStore::AnswerFromEarlier(absl::string_view id, const v1::Report& report, absl::Time now) {
  return Change([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_ASSIGN_OR_RETURN(JobRecord record, SelectOne(id));
    if (record.job.state() != v1::JOB_STATE_QUEUED) {
      return CheckTransition(record.job.state(), v1::JOB_STATE_UNSPECIFIED);
    }
    record.job.set_cached_from(report.cached_from());
    record.job.set_verdict(report.verdict());
    TERSOR_RETURN_IF_ERROR(StoreReport(id, report));
    return MoveTo(record, v1::JOB_STATE_SUCCEEDED, absl::StrCat("answered from job ", report.cached_from()), "", now);
  });
}

absl::StatusOr<AttemptRecord> SqliteJobStore::StartAttempt(absl::string_view id, absl::string_view token_sha256,
                                                           absl::Time now) {
  AttemptRecord attempt;
  TERSOR_RETURN_IF_ERROR(Change([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_ASSIGN_OR_RETURN(JobRecord record, SelectOne(id));
    record.job.set_attempt(record.job.attempt() + 1);
    attempt.job_id = record.job.id();
    attempt.number = record.job.attempt();
    attempt.token_sha256 = std::string(token_sha256);
    attempt.start_time = now;
    TERSOR_RETURN_IF_ERROR(
        database_.sql->Run("INSERT INTO attempts (job_id, number, token_sha256, start_ms) VALUES (?, ?, ?, ?)",
                           {attempt.job_id, int64_t{attempt.number}, attempt.token_sha256, absl::ToUnixMillis(now)}));
    return MoveTo(record, v1::JOB_STATE_RUNNING, "", "", now);
  }));
  return attempt;
}

absl::Status SqliteJobStore::SetAttemptHandle(absl::string_view id, int attempt, absl::string_view handle) {
  return Change([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_RETURN_IF_ERROR(SelectOpenAttempt(id, attempt).status());
    return database_.sql->Run("UPDATE attempts SET handle = ? WHERE job_id = ? AND number = ?",
                              {std::string(handle), std::string(id), int64_t{attempt}});
  });
}

absl::StatusOr<AttemptRecord> SqliteJobStore::SelectAttempt(absl::string_view id, int attempt) {
  AttemptRecord record;
  TERSOR_RETURN_IF_ERROR(database_.sql->Query(
      "SELECT token_sha256, handle, start_ms, end_ms, last_event_number FROM attempts WHERE job_id = ? AND number = ?",
      {std::string(id), int64_t{attempt}}, [&](const SqlRow& row) {
        record.job_id = std::string(id);
        record.number = attempt;
        record.token_sha256 = row.Bytes(0);
        record.handle = row.Bytes(1);
        record.start_time = absl::FromUnixMillis(row.Int(2));
        if (row.Int(3) != 0) record.end_time = absl::FromUnixMillis(row.Int(3));
        record.last_event_number = row.Int(4);
        return absl::OkStatus();
      }));
  if (record.number == 0) return absl::NotFoundError(absl::StrCat("job ", id, " has no attempt ", attempt));
  return record;
}

absl::StatusOr<AttemptRecord> SqliteJobStore::SelectOpenAttempt(absl::string_view id, int attempt) {
  TERSOR_ASSIGN_OR_RETURN(AttemptRecord record, SelectAttempt(id, attempt));
  if (record.end_time.has_value()) {
    return absl::FailedPreconditionError(absl::StrCat("attempt ", attempt, " of job ", id, " has ended"));
  }
  return record;
}

absl::StatusOr<AttemptRecord> SqliteJobStore::GetAttempt(absl::string_view id, int attempt) {
  const MutexLock lock(database_.mutex);
  return SelectAttempt(id, attempt);
}

absl::StatusOr<JobRecord> SqliteJobStore::EndAttempt(absl::string_view id, int attempt, const AttemptOutcome& outcome,
                                                     absl::Time now) {
  JobRecord record;
  TERSOR_RETURN_IF_ERROR(ChangeAtAllCosts([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_RETURN_IF_ERROR(SelectOpenAttempt(id, attempt).status());
    TERSOR_ASSIGN_OR_RETURN(record, SelectOne(id));
    if (outcome.counts_as_failure) ++record.failures;
    const AttemptOutcome settled = SettleOutcome(record, outcome);
    TERSOR_RETURN_IF_ERROR(
        database_.sql->Run("UPDATE attempts SET end_ms = ?, reason = ? WHERE job_id = ? AND number = ?",
                           {absl::ToUnixMillis(now), settled.reason, std::string(id), int64_t{attempt}}));
    if (settled.report.has_value()) {
      record.job.set_verdict(settled.report->verdict());
      TERSOR_RETURN_IF_ERROR(StoreReport(id, *settled.report));
    }
    return MoveTo(record, settled.next, settled.message, settled.reason, now);
  }));
  return record;
}

}  // namespace tersor
