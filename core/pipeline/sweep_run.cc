#include "core/pipeline/sweep_run.h"

#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/recipe/sweep.h"
#include "core/report/report_files.h"
#include "core/report/sweep_report.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

struct PlannedSweep {
  std::vector<SweepPoint> points;
  std::vector<v1::Plan> plans;
  std::vector<FieldViolation> violations;
};

absl::StatusOr<PlannedSweep> PlanPoints(const v1::Recipe& recipe, const PipelineContext& context) {
  PlannedSweep sweep;
  sweep.points = ExpandSweep(recipe, sweep.violations);
  // Whether the disk has room is a question of all points together.
  PipelineContext one_of_many = context;
  one_of_many.output_dir.clear();
  for (const SweepPoint& point : sweep.points) {
    TERSOR_ASSIGN_OR_RETURN(PlanResult result, MakePlan(point.recipe(), one_of_many));
    AddPointViolations(point, result.violations, sweep.violations);
    sweep.plans.push_back(std::move(result.plan));
  }
  return sweep;
}

// A folder name that any file system takes, and that differs where the points do.
std::string FolderName(const SweepPoint& point, const v1::Plan& plan) {
  std::string name = point.Name().substr(0, 80);
  for (char& c : name) {
    if (!absl::ascii_isalnum(c) && c != '-' && c != '_' && c != '=' && c != '.') c = '_';
  }
  return absl::StrCat(name, "-", plan.fingerprint().substr(0, 8));
}

// Says of which point an event is, and how far the whole sweep has come.
class PointSink final : public EventSink {
 public:
  PointSink(EventSink& sink, const PlannedSweep& sweep, size_t index) : sink_(sink), sweep_(sweep), index_(index) {
    for (size_t i = 0; i < sweep.plans.size(); ++i) {
      total_ += sweep.plans[i].seconds();
      if (i < index) before_ += sweep.plans[i].seconds();
      if (i > index) after_ += sweep.plans[i].seconds();
    }
  }

  void Emit(const v1::Event& event) override {
    v1::Event told = event;
    if (told.has_progress()) {
      v1::Progress& progress = *told.mutable_progress();
      const double own = sweep_.plans[index_].seconds();
      if (total_ > 0) progress.set_fraction((before_ + progress.fraction() * own) / total_);
      // The points to come are taken for as slow against their estimate as this one.
      if (progress.eta_seconds() >= 0 && own > 0) progress.set_eta_seconds(progress.eta_seconds() * (1 + after_ / own));
      progress.set_stage(absl::StrCat(index_ + 1, "/", sweep_.points.size(), " ", sweep_.points[index_].Name(), " ",
                                      progress.stage()));
    }
    sink_.Emit(told);
  }

 private:
  EventSink& sink_;
  const PlannedSweep& sweep_;
  const size_t index_;
  double total_ = 0, before_ = 0, after_ = 0;
};

absl::StatusOr<v1::SweepResult::Point> RunPoint(const PlannedSweep& sweep, size_t index, const RunOptions& options,
                                                EventSink& events) {
  const SweepPoint& point = sweep.points[index];
  RunOptions own = options;
  own.workspace = options.workspace / "points" / FolderName(point, sweep.plans[index]);
  own.job_id = own.workspace.filename().string();
  for (const auto& [axis, value] : point.settings) own.labels[SweepLabel(axis)] = value;
  PointSink sink(events, sweep, index);
  const absl::StatusOr<v1::Report> report = RunRecipe(point.recipe(), own, sink);
  if (absl::IsCancelled(report.status())) return report.status();
  v1::SweepResult::Point result;
  if (report.ok()) {
    result = SummarizePoint(*report);
  } else {
    result.set_error(std::string(report.status().message()));
    v1::Event event;
    event.mutable_message()->set_text(absl::StrCat(point.Name(), " failed: ", report.status().message()));
    events.Emit(event);
  }
  result.set_job_id(own.job_id);
  result.set_name(point.Name());
  for (const auto& [axis, value] : point.settings) (*result.mutable_settings())[axis] = value;
  return result;
}

}  // namespace

absl::StatusOr<PlanResult> PlanSweep(const v1::Recipe& recipe, const PipelineContext& context) {
  TERSOR_ASSIGN_OR_RETURN(PlannedSweep sweep, PlanPoints(recipe, context));
  return PlanResult{MergePointPlans(sweep.points, sweep.plans), std::move(sweep.violations)};
}

absl::StatusOr<v1::Report> RunSweep(const v1::Recipe& recipe, const RunOptions& options, EventSink& events) {
  TERSOR_ASSIGN_OR_RETURN(const PlannedSweep sweep, PlanPoints(recipe, options.context));
  TERSOR_RETURN_IF_ERROR(ViolationsToStatus(sweep.violations));
  v1::SweepResult result;
  int failed = 0;
  for (size_t i = 0; i < sweep.points.size(); ++i) {
    TERSOR_ASSIGN_OR_RETURN(*result.add_points(), RunPoint(sweep, i, options, events));
    failed += result.points(static_cast<int>(i)).error().empty() ? 0 : 1;
  }
  if (failed == result.points_size()) {
    return absl::InternalError(absl::StrCat("all ", failed, " points of the sweep failed; the first, ",
                                            result.points(0).name(), ": ", result.points(0).error()));
  }
  v1::Report report = MakeSweepReport(recipe, options.job_id, ProgramVersion(), std::move(result));
  report.mutable_labels()->insert(options.labels.begin(), options.labels.end());
  const fs::path artifacts = options.workspace / "artifacts";
  std::error_code error;
  fs::create_directories(artifacts, error);
  if (error) return ErrnoStatus(error.value(), "creating folder", artifacts);
  TERSOR_RETURN_IF_ERROR(WriteReportFiles(report, artifacts));
  return report;
}

}  // namespace tersor
