#include "server/engine/sweep_keeper.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/pipeline/pipeline.h"
#include "core/recipe/sweep.h"
#include "core/report/sweep_report.h"
#include "server/base/log.h"
#include "server/store/job_state.h"

namespace tersor {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(250);

// The settings that the point's labels tell; a point that was added by hand may have none.
std::map<std::string, std::string> SettingsOf(const v1::Job& job) {
  std::map<std::string, std::string> settings;
  for (const std::string& axis : SweepAxes()) {
    const auto label = job.labels().find(SweepLabel(axis));
    if (label != job.labels().end()) settings[axis] = label->second;
  }
  return settings;
}

std::string PointName(const v1::Job& job) {
  std::vector<std::string> parts;
  const std::map<std::string, std::string> settings = SettingsOf(job);
  for (const std::string& axis : SweepAxes()) {
    if (const auto setting = settings.find(axis); setting != settings.end()) {
      parts.push_back(absl::StrCat(axis, "=", setting->second));
    }
  }
  return parts.empty() ? job.id() : absl::StrJoin(parts, " ");
}

bool AllEnded(const std::vector<JobRecord>& points) {
  return std::all_of(points.begin(), points.end(),
                     [](const JobRecord& point) { return IsTerminal(point.job.state()); });
}

}  // namespace

void SweepKeeper::Tick() {
  const uint64_t now = store_.ChangeCount();
  // A large sweep has a thousand points to read, and its jobs change the store many times a second.
  if (now == seen_ || clock_.Monotonic() - looked_at_ < kPause) return;
  seen_ = now;
  looked_at_ = clock_.Monotonic();
  const absl::StatusOr<std::vector<JobRecord>> sweeps = store_.OpenSweeps();
  if (!sweeps.ok()) return Log(LogLevel::kError, "sweeps cannot be read", {{"error", sweeps.status().ToString()}});
  for (const JobRecord& record : *sweeps) {
    const absl::Status status = LookAfter(record);
    if (!status.ok()) {
      Log(LogLevel::kError, "sweep", {{"job", record.job.id()}, {"error", status.ToString()}});
    }
  }
}

absl::Status SweepKeeper::LookAfter(const JobRecord& sweep) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<JobRecord> points, store_.Children(sweep.job.id()));
  if (sweep.cancel_requested) {
    for (const JobRecord& point : points) {
      if (IsTerminal(point.job.state()) || point.cancel_requested) continue;
      TERSOR_RETURN_IF_ERROR(supervisor_.Cancel(point.job.id()).status());
    }
  }
  if (AllEnded(points)) return End(sweep, points);
  return TellProgress(sweep, points);
}

absl::Status SweepKeeper::TellProgress(const JobRecord& sweep, const std::vector<JobRecord>& points) {
  v1::Progress progress;
  progress.set_stage("sweep");
  progress.set_unit("points");
  progress.set_total(static_cast<int64_t>(points.size()));
  double seconds = 0, done_seconds = 0, left = 0;
  bool eta_known = false;
  std::vector<std::string> running;
  for (const JobRecord& point : points) {
    const v1::Job& job = point.job;
    const bool ended = IsTerminal(job.state());
    const double share = ended ? 1 : job.progress().fraction();
    seconds += job.plan().seconds();
    done_seconds += share * job.plan().seconds();
    if (ended) progress.set_done(progress.done() + 1);
    if (job.state() != v1::JOB_STATE_RUNNING) continue;
    running.push_back(PointName(job));
    if (job.progress().eta_seconds() > 0) {
      left += job.progress().eta_seconds();
      eta_known = true;
    }
  }
  progress.set_fraction(seconds > 0 ? done_seconds / seconds : 0);
  // What runs says how long it takes; the rest is as planned, an upper bound.
  for (const JobRecord& point : points) {
    if (point.job.state() == v1::JOB_STATE_QUEUED) left += point.job.plan().seconds();
  }
  progress.set_eta_seconds(eta_known || running.empty() ? left : -1);
  progress.set_detail(absl::StrJoin(running, ", "));
  const v1::Progress& told = sweep.job.progress();
  // The points' own steps come many times a second; watchers of the sweep are told when one begins or ends.
  if (told.done() == progress.done() && told.total() == progress.total() && told.detail() == progress.detail()) {
    return absl::OkStatus();
  }
  return store_.SetSweepProgress(sweep.job.id(), progress, clock_.Now());
}

absl::StatusOr<v1::SweepResult> SweepKeeper::Collect(const std::vector<JobRecord>& points) {
  v1::SweepResult result;
  for (const JobRecord& point : points) {
    v1::SweepResult::Point& line = *result.add_points();
    if (point.job.state() == v1::JOB_STATE_SUCCEEDED) {
      TERSOR_ASSIGN_OR_RETURN(const v1::Report report, store_.GetReport(point.job.id()));
      line = SummarizePoint(report);
    } else {
      line.set_error(absl::StrCat(JobStateName(point.job.state()), ": ", point.job.status_message()));
    }
    line.set_job_id(point.job.id());
    line.set_name(PointName(point.job));
    for (const auto& [axis, value] : SettingsOf(point.job)) (*line.mutable_settings())[axis] = value;
  }
  return result;
}

absl::Status SweepKeeper::End(const JobRecord& sweep, const std::vector<JobRecord>& points) {
  AttemptOutcome outcome;
  const auto succeeded = std::count_if(points.begin(), points.end(), [](const JobRecord& point) {
    return point.job.state() == v1::JOB_STATE_SUCCEEDED;
  });
  outcome.message = absl::StrCat(succeeded, " of ", points.size(), " points succeeded");
  if (sweep.cancel_requested) {
    outcome.next = v1::JOB_STATE_CANCELLED;
    outcome.reason = "CANCELLED";
  } else if (succeeded == 0) {
    outcome.next = v1::JOB_STATE_FAILED;
    outcome.reason = "ALL_POINTS_FAILED";
    if (!points.empty()) absl::StrAppend(&outcome.message, "; the first: ", points[0].job.status_message());
  } else {
    outcome.next = v1::JOB_STATE_SUCCEEDED;
    TERSOR_ASSIGN_OR_RETURN(v1::SweepResult result, Collect(points));
    outcome.report = MakeSweepReport(sweep.job.recipe(), sweep.job.id(), ProgramVersion(), std::move(result));
    *outcome.report->mutable_labels() = sweep.job.labels();
  }
  Log(LogLevel::kInfo, "sweep ended", {{"job", sweep.job.id()}, {"detail", outcome.message}});
  return store_.EndSweep(sweep.job.id(), outcome, clock_.Now());
}

}  // namespace tersor
