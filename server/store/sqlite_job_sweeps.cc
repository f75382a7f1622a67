// The part of SqliteJobStore that keeps sweeps.
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/store/job_state.h"
#include "server/store/sqlite_job_store.h"

namespace tersor {
namespace {

absl::Status CheckSweep(const JobRecord& record) {
  if (IsSweep(record)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("job ", record.job.id(), " is no sweep"));
}

}  // namespace

absl::Status SqliteJobStore::InsertSweep(const JobRecord& sweep, const std::vector<NewJob>& points, absl::Time now) {
  return Change([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_RETURN_IF_ERROR(InsertRow(sweep, nullptr, now));
    for (const NewJob& point : points) {
      TERSOR_RETURN_IF_ERROR(InsertRow(point.record, point.answer.has_value() ? &*point.answer : nullptr, now));
    }
    TERSOR_ASSIGN_OR_RETURN(JobRecord stored, SelectOne(sweep.job.id()));
    return MoveTo(stored, v1::JOB_STATE_RUNNING, absl::StrCat(points.size(), " points"), "", now);
  });
}

absl::Status SqliteJobStore::ReopenSweep(const JobRecord& child, absl::Time now) {
  if (child.job.parent().empty()) return absl::OkStatus();
  absl::StatusOr<JobRecord> parent = SelectOne(child.job.parent());
  // Whether the parent must exist is for the caller to say.
  if (!parent.ok() || !IsSweep(*parent)) return absl::OkStatus();
  if (parent->cancel_requested || parent->job.state() == v1::JOB_STATE_CANCELLED) {
    return absl::FailedPreconditionError(
        absl::StrCat("sweep ", parent->job.id(), " is cancelled: no points can be added"));
  }
  if (!IsTerminal(parent->job.state())) return absl::OkStatus();
  // A sweep is no run of its own but what is known of its points: with a new one it is open again.
  parent->job.set_state(v1::JOB_STATE_QUEUED);
  parent->job.clear_end_time();
  return MoveTo(*parent, v1::JOB_STATE_RUNNING, "a point was added", "", now);
}

absl::Status SqliteJobStore::SetSweepProgress(absl::string_view id, const v1::Progress& progress, absl::Time now) {
  return Change([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_ASSIGN_OR_RETURN(JobRecord record, SelectOne(id));
    TERSOR_RETURN_IF_ERROR(CheckSweep(record));
    v1::Event event;
    *event.mutable_progress() = progress;
    TERSOR_RETURN_IF_ERROR(AppendEvent(record, std::move(event), now));
    return StoreProgress(id, progress);
  });
}

absl::Status SqliteJobStore::EndSweep(absl::string_view id, const AttemptOutcome& outcome, absl::Time now) {
  return ChangeAtAllCosts([&]() -> absl::Status {
    database_.mutex.AssertHeld();
    TERSOR_ASSIGN_OR_RETURN(JobRecord record, SelectOne(id));
    TERSOR_RETURN_IF_ERROR(CheckSweep(record));
    if (outcome.report.has_value()) {
      record.job.set_verdict(outcome.report->verdict());
      TERSOR_RETURN_IF_ERROR(StoreReport(id, *outcome.report));
    }
    return MoveTo(record, outcome.next, outcome.message, outcome.reason, now);
  });
}

}  // namespace tersor
