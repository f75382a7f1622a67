// Turns the stages' own progress into that of the whole job: share done and seconds left.
#ifndef TERSOR_CORE_PIPELINE_PROGRESS_TRACKER_H_
#define TERSOR_CORE_PIPELINE_PROGRESS_TRACKER_H_

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/event_sink.h"
#include "tersor/v1/plan.pb.h"

namespace tersor {

// Stands between the stages and the job's sink: fills stage, fraction and eta_seconds of Progress events, takes
// StageReports as EndStage does, passes all others on. Progress is thinned to one event every `interval` but for the
// first and last of a stage. Not thread-safe.
class ProgressTracker final : public EventSink {
 public:
  using Clock = std::function<double()>;  // seconds from any origin

  // `plan`: its stages in order, with upper bounds of their seconds. `sink` must outlive the tracker.
  ProgressTracker(const v1::Plan& plan, EventSink& sink, Clock clock = SteadySeconds, double interval = 0.2);

  void BeginStage(absl::string_view name);
  // Emits the report as an event. A reused stage's estimate no longer counts as work of this run.
  void EndStage(const v1::StageReport& report);
  void Emit(const v1::Event& event) override;

  static double SteadySeconds();

 private:
  struct Stage {
    std::string name;
    double estimate = 0;
    double actual = 0;
    bool done = false;
    bool reused = false;
  };

  void FillWhole(v1::Progress& progress);
  // What work took, as a share of its estimate.
  double Pace(double current_elapsed, double current_share) const;
  Stage* Find(absl::string_view name);

  std::vector<Stage> stages_;
  EventSink& sink_;
  Clock clock_;
  double interval_;
  Stage* current_ = nullptr;
  double stage_start_ = 0;
  double current_share_ = 0;
  // Of the whole job; does not go back when the pace changes.
  double fraction_ = 0;
  double last_emitted_ = -1;
};

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_PROGRESS_TRACKER_H_
