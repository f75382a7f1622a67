#include "core/statistics/power.h"

#include "gtest/gtest.h"
#include "tests/core/statistics/recorded.h"

namespace tersor {
namespace {

using testing::Recorded;

TEST(PowerTest, ItemsAreConnorsAndDecideAsOftenAsTheyShould) {
  for (const auto& point : Recorded("power")) {
    const PowerQuestion question = {.flips = point["flips"]};
    const int64_t items = point["items"];
    EXPECT_EQ(ItemsNeeded(point["drop"], question), items);
    EXPECT_NEAR(DecisionProbability(items, point["drop"], question), 0.8, 0.01);
    // What simulated flips gave; the formula is an approximation that errs to the safe side.
    EXPECT_NEAR(point["simulated_power"].get<double>(), 0.82, 0.04);
  }
}

TEST(PowerTest, TwoHundredItemsResolveAboutFourPoints) {
  EXPECT_NEAR(DetectableDrop(200, {}), 0.044, 0.001);
  EXPECT_LT(DecisionProbability(200, 0.02, {}), 0.3);
  EXPECT_EQ(ItemsNeeded(0.02, {}), 979);
  EXPECT_GT(DecisionProbability(979, 0.02, {}), 0.79);
}

TEST(PowerTest, DetectableIsTheInverseOfNeeded) {
  for (const int64_t items : {200, 1000, 5000}) {
    const double drop = DetectableDrop(items, {.flips = 0.1});
    EXPECT_LE(ItemsNeeded(drop, {.flips = 0.1}), items);
    EXPECT_GT(ItemsNeeded(drop * 0.99, {.flips = 0.1}), items);
  }
}

// Beyond the assumed flips everything that changes is lost.
TEST(PowerTest, FewItemsFindLargeDropsAlone) {
  for (const int64_t items : {4, 10, 14, 30, 100}) {
    const double drop = DetectableDrop(items, {});
    EXPECT_GT(drop, kAssumedFlips) << items;
    EXPECT_LE(ItemsNeeded(drop, {}), items);
    EXPECT_GT(ItemsNeeded(drop * 0.99, {}), items);
  }
  for (const int64_t items : {0, 1, 3}) EXPECT_EQ(DetectableDrop(items, {}), 1) << items;
}

// Two-sided 5 %, power 80 %: (1.96 + 0.8416)^2 = 7.849 times the squared ratio of deviation and difference.
TEST(PowerTest, MeansFollowTheTextbook) {
  EXPECT_EQ(UnitsNeeded(1, 1, 0.95, 0.8), 8);
  EXPECT_EQ(UnitsNeeded(0.5, 1, 0.95, 0.8), 32);
  EXPECT_NEAR(DetectableDifference(32, 1, 0.95, 0.8), 0.4953, 1e-4);
}

}  // namespace
}  // namespace tersor
