#include "core/pipeline/progress_tracker.h"

#include "gtest/gtest.h"

namespace tersor {
namespace {

class RecordingSink final : public EventSink {
 public:
  void Emit(const v1::Event& event) override { events.push_back(event); }
  std::vector<v1::Event> events;
};

v1::Plan TwoStages() {
  v1::Plan plan;
  plan.add_stages()->set_name("first");
  plan.mutable_stages(0)->set_seconds(10);
  plan.add_stages()->set_name("second");
  plan.mutable_stages(1)->set_seconds(30);
  return plan;
}

v1::Event Step(int done, int total) {
  v1::Event event;
  event.mutable_progress()->set_done(done);
  event.mutable_progress()->set_total(total);
  return event;
}

TEST(ProgressTrackerTest, EtaScalesWithTheMeasuredPace) {
  double now = 0;
  RecordingSink sink;
  ProgressTracker tracker(TwoStages(), sink, [&] { return now; });
  tracker.BeginStage("first");
  now = 10;  // half of a stage of 10 estimated seconds took 10: the machine is half as fast as thought
  tracker.Emit(Step(5, 10));
  const v1::Progress& progress = sink.events.back().progress();
  EXPECT_EQ(progress.stage(), "first");
  EXPECT_DOUBLE_EQ(progress.fraction(), 5.0 / 40);
  EXPECT_DOUBLE_EQ(progress.eta_seconds(), 35 * 2.0);
}

TEST(ProgressTrackerTest, ReusedStagesSayNothingAboutPace) {
  double now = 0;
  RecordingSink sink;
  ProgressTracker tracker(TwoStages(), sink, [&] { return now; });
  v1::StageReport reused;
  reused.set_name("first");
  reused.set_seconds(1000);
  reused.set_reused(true);
  tracker.EndStage(reused);
  tracker.BeginStage("second");
  EXPECT_DOUBLE_EQ(sink.events.back().progress().eta_seconds(), 30 * 0.4);
  EXPECT_DOUBLE_EQ(sink.events.back().progress().fraction(), 1000 / 1012.0);
}

TEST(ProgressTrackerTest, TheShareOfTheJobNeverGoesBack) {
  double now = 0;
  RecordingSink sink;
  ProgressTracker tracker(TwoStages(), sink, [&] { return now; });
  tracker.BeginStage("first");
  for (const double pace : {0.1, 4.0, 0.5}) {
    const double before = sink.events.back().progress().fraction();
    now = 5 * pace;
    tracker.Emit(Step(5, 10));
    EXPECT_GE(sink.events.back().progress().fraction(), before);
  }
  v1::StageReport report;
  report.set_name("first");
  report.set_seconds(5);
  tracker.EndStage(report);
  // At the first stage's pace the second takes 15 seconds more.
  tracker.BeginStage("second");
  EXPECT_DOUBLE_EQ(sink.events.back().progress().eta_seconds(), 15);
}

TEST(ProgressTrackerTest, ThinsProgressButKeepsTheLastStep) {
  double now = 0;
  RecordingSink sink;
  ProgressTracker tracker(TwoStages(), sink, [&] { return now; });
  tracker.BeginStage("first");
  for (int i = 1; i <= 100; ++i) {
    now += 0.01;
    tracker.Emit(Step(i, 100));
  }
  EXPECT_LT(sink.events.size(), 12);
  EXPECT_EQ(sink.events.back().progress().done(), 100);
}

TEST(ProgressTrackerTest, OtherEventsPassThrough) {
  RecordingSink sink;
  ProgressTracker tracker(TwoStages(), sink);
  v1::Event event;
  event.mutable_warning()->set_code("X");
  tracker.Emit(event);
  EXPECT_EQ(sink.events.size(), 1);
}

}  // namespace
}  // namespace tersor
