#include "core/pipeline/sweep_run.h"

#include "gmock/gmock.h"
#include "tests/core/pipeline/job_fixture.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

class SweepRunTest : public JobFixture {
 protected:
  void SetUp() override {
    JobFixture::SetUp();
    recipe_.mutable_sweep()->add_methods()->mutable_rtn();
    recipe_.mutable_sweep()->add_methods()->mutable_gptq();
    recipe_.mutable_sweep()->add_bits(3);
    recipe_.mutable_sweep()->add_bits(8);
  }
};

TEST_F(SweepRunTest, PlanAddsUpItsPoints) {
  const absl::StatusOr<PlanResult> plan = MakePlan(recipe_, context_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_TRUE(plan->violations.empty()) << plan->violations[0].description;
  ASSERT_EQ(plan->plan.stages_size(), 4);
  EXPECT_EQ(plan->plan.stages(3).name(), "method=gptq bits=8");
}

TEST_F(SweepRunTest, FaultsOfAPointNameIt) {
  recipe_.mutable_sweep()->add_bits(9);
  const absl::StatusOr<PlanResult> plan = MakePlan(recipe_, context_);
  ASSERT_TRUE(plan.ok()) << plan.status();
  ASSERT_FALSE(plan->violations.empty());
  EXPECT_EQ(plan->violations[0].field, "sweep");
  EXPECT_THAT(plan->violations[0].description, HasSubstr("method=rtn bits=9: stages[0].quantize"));
}

TEST_F(SweepRunTest, RunsEveryPointOnce) {
  RecordingSink sink;
  const absl::StatusOr<v1::Report> report = RunRecipe(recipe_, Options("sweep"), sink);
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->sweep().points_size(), 4);
  for (const v1::SweepResult::Point& point : report->sweep().points()) {
    EXPECT_EQ(point.error(), "");
    EXPECT_GT(point.perplexity(), 1);
  }
  EXPECT_LT(report->sweep().points(0).model_bits(), report->sweep().points(1).model_bits());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "sweep/artifacts/report.html"));
  double last = 0;
  for (const v1::Event& event : sink.events) {
    if (!event.has_progress()) continue;
    EXPECT_GE(event.progress().fraction(), last - 1e-9);
    last = event.progress().fraction();
  }
  EXPECT_GT(last, 0.9);
  // Again: nothing is left to do, and the answer is the same.
  const absl::StatusOr<v1::Report> again = RunRecipe(recipe_, Options("sweep"), sink);
  ASSERT_TRUE(again.ok()) << again.status();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(again->sweep().points(i).perplexity(), report->sweep().points(i).perplexity());
  }
}

TEST_F(SweepRunTest, SeedsChooseOtherRuns) {
  recipe_.clear_sweep();
  recipe_.mutable_calibration()->set_samples(2);
  for (const int seed : {0, 1, 2}) recipe_.mutable_sweep()->add_seeds(seed);
  RecordingSink sink;
  const absl::StatusOr<v1::Report> report = RunRecipe(recipe_, Options("seeds"), sink);
  ASSERT_TRUE(report.ok()) << report.status();
  ASSERT_EQ(report->sweep().points_size(), 3);
  EXPECT_NE(report->sweep().points(0).perplexity(), report->sweep().points(1).perplexity());
  EXPECT_NE(report->sweep().points(1).perplexity(), report->sweep().points(2).perplexity());
}

}  // namespace
}  // namespace tersor
