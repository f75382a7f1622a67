#include "core/statistics/interval.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/core/statistics/recorded.h"

namespace tersor {
namespace {

using testing::Recorded;

TEST(IntervalTest, WilsonIsStatsmodels) {
  for (const auto& point : Recorded("wilson")) {
    const Interval interval = WilsonInterval(point["successes"], point["n"], point["confidence"]);
    EXPECT_NEAR(interval.low, point["low"].get<double>(), 1e-12) << point;
    EXPECT_NEAR(interval.high, point["high"].get<double>(), 1e-12) << point;
  }
}

// Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3.
TEST(IntervalTest, WilsonIsNewcombesTable) {
  const Interval most = WilsonInterval(81, 263, 0.95), few = WilsonInterval(15, 148, 0.95),
                 none = WilsonInterval(0, 20, 0.95), one = WilsonInterval(1, 29, 0.95);
  EXPECT_NEAR(most.low, 0.2553, 5e-5);
  EXPECT_NEAR(most.high, 0.3662, 5e-5);
  EXPECT_NEAR(few.low, 0.0624, 5e-5);
  EXPECT_NEAR(few.high, 0.1605, 5e-5);
  EXPECT_EQ(none.low, 0);
  EXPECT_NEAR(none.high, 0.1611, 5e-5);
  EXPECT_NEAR(one.low, 0.0061, 5e-5);
  EXPECT_NEAR(one.high, 0.1718, 5e-5);
}

TEST(IntervalTest, NothingKnownIsUnbounded) {
  const Interval student = StudentInterval(1, 0.1, 0, 0.95);
  EXPECT_TRUE(std::isinf(student.low) && std::isinf(student.high));
  const Interval share = WilsonInterval(0, 0, 0.95);
  EXPECT_EQ(share.low, 0);
  EXPECT_EQ(share.high, 1);
}

TEST(IntervalTest, CombiningNormalIntervalsAddsVariances) {
  const std::vector<WeightedEstimate> parts = {{0.5, 0.1, NormalInterval(0.1, 0.03, 0.95)},
                                               {0.5, 0.3, NormalInterval(0.3, 0.04, 0.95)}};
  const Interval combined = CombineIntervals(parts), expected = NormalInterval(0.2, 0.025, 0.95);
  EXPECT_NEAR(combined.low, expected.low, 1e-14);
  EXPECT_NEAR(combined.high, expected.high, 1e-14);
}

TEST(IntervalTest, CombiningKeepsTheSkew) {
  const Interval difference =
      CombineIntervals(std::vector<WeightedEstimate>{{1, 0.5, {0.4, 0.55}}, {-1, 0.2, {0.18, 0.3}}});
  EXPECT_NEAR(difference.low, 0.3 - std::hypot(0.1, 0.1), 1e-14);
  EXPECT_NEAR(difference.high, 0.3 + std::hypot(0.05, 0.02), 1e-14);
}

}  // namespace
}  // namespace tersor
