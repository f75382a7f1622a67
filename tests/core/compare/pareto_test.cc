#include "core/compare/pareto.h"

#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;

std::vector<int> Indices(const std::vector<ParetoPoint>& points) {
  std::vector<int> indices;
  for (const ParetoPoint& point : points) indices.push_back(point.index);
  return indices;
}

TEST(ParetoTest, TheFrontIsWhatNothingBeats) {
  const std::vector<ParetoPoint> points = {{0, 16, 1.0}, {1, 4, 0.9}, {2, 5, 0.85}, {3, 2, 0.5}, {4, 4, 0.7}};
  EXPECT_THAT(Indices(ParetoFrontOf(points)), ElementsAre(3, 1, 0));
}

TEST(ParetoTest, OfEqualPointsTheFirstStays) {
  EXPECT_THAT(Indices(ParetoFrontOf(std::vector<ParetoPoint>{{7, 1, 1}, {8, 1, 1}, {9, 2, 1}})), ElementsAre(7));
  EXPECT_TRUE(ParetoFrontOf({}).empty());
}

TEST(ParetoTest, WhatIsNoNumberIsOnNoFront) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Indices(ParetoFrontOf(std::vector<ParetoPoint>{{0, 1, nan}, {1, nan, 2}, {2, 4, 0.5}, {3, 8, 0.9}})),
              ElementsAre(2, 3));
}

// The dense model alone keeps nothing below its own cost; a quarter of the cost at 0.9 of the quality covers two of
// four doublings.
TEST(ParetoTest, TheAreaIsQualityOverBudgets) {
  const ParetoPoint dense = {0, 16, 1.0};
  EXPECT_DOUBLE_EQ(ParetoArea(std::vector<ParetoPoint>{dense}, dense), 0);
  EXPECT_DOUBLE_EQ(ParetoArea(std::vector<ParetoPoint>{dense, {1, 4, 0.9}}, dense), 0.45);
  EXPECT_DOUBLE_EQ(ParetoArea(std::vector<ParetoPoint>{dense, {1, 4, 0.9}, {2, 1, 0.5}}, dense), 0.7);
  // Cheaper than the smallest budget counts as the smallest budget.
  EXPECT_DOUBLE_EQ(ParetoArea(std::vector<ParetoPoint>{dense, {1, 0.1, 0.5}}, dense), 0.5);
  // A costlier model than the reference adds nothing.
  EXPECT_DOUBLE_EQ(ParetoArea(std::vector<ParetoPoint>{dense, {1, 4, 0.9}, {2, 64, 1.5}}, dense), 0.45);
}

}  // namespace
}  // namespace tersor
