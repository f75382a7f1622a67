#include "core/pipeline/progress_tracker.h"

#include <algorithm>
#include <utility>

namespace tersor {
namespace {

// Plans are upper bounds. Before this run has shown its pace, work is expected to take so much of them.
constexpr double kUsualShareOfBound = 0.4;

}  // namespace

double ProgressTracker::SteadySeconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

ProgressTracker::ProgressTracker(const v1::Plan& plan, EventSink& sink, Clock clock, double interval)
    : sink_(sink), clock_(std::move(clock)), interval_(interval) {
  for (const v1::PlannedStage& stage : plan.stages()) {
    stages_.push_back({.name = stage.name(), .estimate = std::max(stage.seconds(), 1e-3)});
  }
}

ProgressTracker::Stage* ProgressTracker::Find(absl::string_view name) {
  for (Stage& stage : stages_) {
    if (stage.name == name && !stage.done) return &stage;
  }
  return nullptr;
}

void ProgressTracker::BeginStage(absl::string_view name) {
  current_ = Find(name);
  stage_start_ = clock_();
  current_share_ = 0;
  last_emitted_ = -1;
  v1::Event event;
  event.mutable_progress()->set_stage(std::string(name));
  FillWhole(*event.mutable_progress());
  sink_.Emit(event);
}

void ProgressTracker::EndStage(const v1::StageReport& report) {
  if (Stage* stage = Find(report.name()); stage != nullptr) {
    stage->done = true;
    stage->reused = report.reused();
    stage->actual = report.seconds();
  }
  current_ = nullptr;
  v1::Event event;
  *event.mutable_stage_finished() = report;
  sink_.Emit(event);
}

void ProgressTracker::Emit(const v1::Event& event) {
  if (event.has_stage_finished()) return EndStage(event.stage_finished());
  if (!event.has_progress()) {
    sink_.Emit(event);
    return;
  }
  const v1::Progress& progress = event.progress();
  const double now = clock_();
  const bool last = progress.total() > 0 && progress.done() >= progress.total();
  if (!last && last_emitted_ >= 0 && now - last_emitted_ < interval_) return;
  last_emitted_ = now;
  v1::Event filled = event;
  if (current_ != nullptr) filled.mutable_progress()->set_stage(current_->name);
  FillWhole(*filled.mutable_progress());
  sink_.Emit(filled);
}

double ProgressTracker::Pace(double current_elapsed, double current_share) const {
  double estimated = 0, actual = 0;
  for (const Stage& stage : stages_) {
    if (!stage.done || stage.reused) continue;
    estimated += stage.estimate;
    actual += stage.actual;
  }
  // A stage's own first steps say little: they count once a twentieth is done.
  if (current_ != nullptr && current_share > 0.05) {
    estimated += current_->estimate * current_share;
    actual += current_elapsed;
  }
  return estimated > 0 ? actual / estimated : kUsualShareOfBound;
}

void ProgressTracker::FillWhole(v1::Progress& progress) {
  if (progress.total() > 0) {
    // A stage of several passes counts each from zero; the job's share does not go back.
    const double share = static_cast<double>(progress.done()) / progress.total();
    current_share_ = std::max(current_share_, std::min(share, 1.0));
  }
  const double pace = Pace(clock_() - stage_start_, current_share_);
  double finished = 0, left = 0;
  for (const Stage& stage : stages_) {
    const double share = &stage == current_ ? current_share_ : 0;
    finished += stage.done ? stage.actual : stage.estimate * pace * share;
    left += stage.done ? 0 : stage.estimate * pace * (1 - share);
  }
  if (finished + left > 0) fraction_ = std::max(fraction_, finished / (finished + left));
  progress.set_fraction(fraction_);
  progress.set_eta_seconds(stages_.empty() ? -1 : left);
}

}  // namespace tersor
