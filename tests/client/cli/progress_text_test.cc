#include "client/cli/progress_text.h"

#include <cmath>

#include "core/report/escape.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

v1::Progress Example() {
  v1::Progress progress;
  progress.set_stage("quantize:gptq");
  progress.set_done(13);
  progress.set_total(30);
  progress.set_unit("blocks");
  progress.set_tokens_per_second(1234.4);
  progress.set_eta_seconds(65);
  progress.set_fraction(0.439);
  progress.set_detail("error 0.012");
  return progress;
}

TEST(ClockText, CountsMinutesAndHours) {
  EXPECT_EQ(ClockText(0), "0:00");
  EXPECT_EQ(ClockText(9.4), "0:09");
  EXPECT_EQ(ClockText(65), "1:05");
  EXPECT_EQ(ClockText(3909), "1:05:09");
  EXPECT_EQ(ClockText(-1), "--:--");
  EXPECT_EQ(ClockText(std::nan("")), "--:--");
  EXPECT_EQ(ClockText(1e300), "--:--");
}

TEST(ProgressBar, ShowsEverythingWhereThereIsRoom) {
  EXPECT_EQ(ProgressBar(Example(), 120),
            "quantize:gptq [=============>                ]  43%  ETA 1:05  13/30 blocks  1234 tok/s  error 0.012");
}

TEST(ProgressBar, LeavesOutWhatDoesNotFit) {
  EXPECT_EQ(ProgressBar(Example(), 60), "quantize:gptq [======>        ]  43%  ETA 1:05  13/30 blocks");
  EXPECT_EQ(ProgressBar(Example(), 40), "quantize:gptq [========>          ]  43%");
}

TEST(ProgressBar, NeverExceedsItsWidth) {
  for (int width = 1; width < 150; ++width) {
    EXPECT_LE(CharacterCount(ProgressBar(Example(), width)), static_cast<size_t>(width)) << width;
  }
}

TEST(ProgressBar, SurvivesStrangeNumbers) {
  v1::Progress progress = Example();
  for (double fraction : {-1.0, 0.0, 1.0, 7.0, std::nan("")}) {
    progress.set_fraction(fraction);
    EXPECT_LE(ProgressBar(progress, 80).size(), 80u);
  }
  progress.set_fraction(1);
  EXPECT_THAT(ProgressBar(progress, 120), HasSubstr("[==============================] 100%"));
  progress.set_stage("evil\033[2Jstage");
  EXPECT_THAT(ProgressBar(progress, 120), Not(HasSubstr("\033")));
}

TEST(ProgressLine, IsForLogs) {
  EXPECT_EQ(ProgressLine(Example()), "[ 43%] quantize:gptq: 13/30 blocks, 1234 tok/s, ETA 1:05, error 0.012");
  v1::Progress bare;
  bare.set_stage("write");
  bare.set_eta_seconds(-1);
  EXPECT_EQ(ProgressLine(bare), "[  0%] write");
  bare.set_done(5);
  bare.set_unit("tensors");
  EXPECT_EQ(ProgressLine(bare), "[  0%] write: 5 tensors");
}

TEST(StageLine, TellsTimeAndMemory) {
  v1::StageReport stage;
  stage.set_name("quantize:gptq");
  stage.set_seconds(83);
  stage.set_peak_rss_bytes(512000000);
  EXPECT_EQ(StageLine(stage), "quantize:gptq: done in 83 s, peak memory 512 MB");
  stage.set_reused(true);
  EXPECT_EQ(StageLine(stage), "quantize:gptq: taken over from an earlier run");
}

TEST(StateLine, TellsAttemptAndReason) {
  v1::StateChanged state;
  state.set_state(v1::JOB_STATE_RUNNING);
  state.set_attempt(1);
  EXPECT_EQ(StateLine(state), "job running");
  state.set_state(v1::JOB_STATE_QUEUED);
  state.set_attempt(2);
  state.set_reason("the worker died");
  EXPECT_EQ(StateLine(state), "job queued (attempt 2): the worker died");
}

TEST(WarningLine, NamesTheLayer) {
  v1::Warning warning;
  warning.set_code("FACTORIZATION_DAMPED");
  warning.set_message("damping raised to 0.1");
  warning.set_where("model.layers.3.mlp.down_proj");
  EXPECT_EQ(WarningLine(warning), "warning FACTORIZATION_DAMPED: damping raised to 0.1 (model.layers.3.mlp.down_proj)");
}

}  // namespace
}  // namespace tersor::client
