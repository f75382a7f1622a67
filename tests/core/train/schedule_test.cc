#include "core/train/schedule.h"

#include <gtest/gtest.h>

namespace tersor {
namespace {

TEST(ScheduleTest, RisesToThePeakAndFallsToZero) {
  const Schedule cosine = {ScheduleKind::kCosine, 2, 12, 4};
  EXPECT_EQ(cosine.RateAt(0), 0);
  EXPECT_DOUBLE_EQ(cosine.RateAt(1), 0.5);
  EXPECT_DOUBLE_EQ(cosine.RateAt(4), 2);
  EXPECT_DOUBLE_EQ(cosine.RateAt(8), 1);
  EXPECT_NEAR(cosine.RateAt(12), 0, 1e-15);
  EXPECT_NEAR(cosine.RateAt(99), 0, 1e-15);
  const Schedule linear = {ScheduleKind::kLinear, 2, 10, 0};
  EXPECT_DOUBLE_EQ(linear.RateAt(0), 2);
  EXPECT_DOUBLE_EQ(linear.RateAt(5), 1);
  EXPECT_DOUBLE_EQ(linear.RateAt(11), 0);
  const Schedule constant = {ScheduleKind::kConstant, 3, 10, 1};
  EXPECT_DOUBLE_EQ(constant.RateAt(9), 3);
}

TEST(ScheduleTest, Names) {
  EXPECT_EQ(*ParseScheduleKind("cosine"), ScheduleKind::kCosine);
  EXPECT_EQ(*ParseScheduleKind("linear"), ScheduleKind::kLinear);
  EXPECT_EQ(*ParseScheduleKind("constant"), ScheduleKind::kConstant);
  EXPECT_EQ(ParseScheduleKind("step").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
