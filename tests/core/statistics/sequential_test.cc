#include "core/statistics/sequential.h"

#include <cmath>
#include <random>

#include "core/statistics/distributions.h"
#include "gtest/gtest.h"
#include "tests/core/statistics/recorded.h"

namespace tersor {
namespace {

using testing::Numbers;
using testing::Recorded;

TEST(SequentialTest, BoundariesAreThoseOfTheJointNormal) {
  for (const auto& point : Recorded("boundaries")) {
    const Spending spending = point["spending"] == "pocock" ? Spending::kPocock : Spending::kOBrienFleming;
    const std::vector<double> expected = Numbers(point["bounds"]);
    const std::vector<double> bounds = SpendingBoundaries(Numbers(point["shares"]), point["alpha"], spending);
    ASSERT_EQ(bounds.size(), expected.size());
    for (size_t i = 0; i < bounds.size(); ++i) EXPECT_NEAR(bounds[i], expected[i], 2e-3) << point << " look " << i;
  }
}

// Five equal looks, two-sided 5 %, as printed by Lan and DeMets' program and in Reboussin et al. (Controlled Clinical
// Trials 21, 2000).
TEST(SequentialTest, BoundariesAreThePublishedOnes) {
  const std::vector<double> shares = {0.2, 0.4, 0.6, 0.8, 1};
  const std::vector<double> late = SpendingBoundaries(shares, 0.05, Spending::kOBrienFleming),
                            even = SpendingBoundaries(shares, 0.05, Spending::kPocock);
  const std::vector<double> published_late = {4.8769, 3.3569, 2.6803, 2.2898, 2.0310},
                            published_even = {2.4380, 2.4268, 2.4101, 2.3966, 2.3859};
  for (size_t i = 0; i < shares.size(); ++i) {
    EXPECT_NEAR(late[i], published_late[i], 2e-4);
    EXPECT_NEAR(even[i], published_even[i], 2e-4);
  }
}

TEST(SequentialTest, OneLookAtEverythingIsThePlainInterval) {
  EXPECT_NEAR(RepeatedConfidence(std::vector<double>{1}, 0.95), 0.95, 1e-9);
  EXPECT_EQ(RepeatedConfidence({}, 0.95), 0.95);
}

TEST(SequentialTest, EveryLookIsAskedMoreThanOneLook) {
  const std::vector<double> shares = {0.125, 0.25, 0.5, 1};
  for (size_t looks = 1; looks <= shares.size(); ++looks) {
    EXPECT_GT(RepeatedConfidence(std::span(shares).first(looks), 0.95), 0.95);
  }
}

// A walk without drift that is looked at after every doubling: the chance that any look misses the truth stays 5 %.
TEST(SequentialTest, TheErrorRateIsKept) {
  std::mt19937 random(11);
  std::normal_distribution<double> step;
  const std::vector<double> shares = {0.125, 0.25, 0.5, 1};
  const std::vector<double> bounds = SpendingBoundaries(shares, 0.05, Spending::kPocock);
  int missed = 0, naive = 0;
  constexpr int kTrials = 20000;
  for (int trial = 0; trial < kTrials; ++trial) {
    double sum = 0, before = 0;
    bool outside = false, outside_naive = false;
    for (size_t k = 0; k < shares.size(); ++k) {
      sum += std::sqrt(shares[k] - before) * step(random);
      before = shares[k];
      const double z = std::abs(sum) / std::sqrt(shares[k]);
      outside |= z > bounds[k];
      outside_naive |= z > TwoSidedNormal(0.95);
    }
    missed += outside;
    naive += outside_naive;
  }
  EXPECT_NEAR(static_cast<double>(missed) / kTrials, 0.05, 0.006);
  EXPECT_GT(static_cast<double>(naive) / kTrials, 0.1);
}

TEST(SequentialTest, LooksDouble) {
  EXPECT_EQ(DoublingLooks(200, 1000), (std::vector<int64_t>{200, 400, 1000}));
  EXPECT_EQ(DoublingLooks(250, 1000), (std::vector<int64_t>{250, 500, 1000}));
  EXPECT_EQ(DoublingLooks(600, 1000), (std::vector<int64_t>{600, 1000}));
  EXPECT_EQ(DoublingLooks(1000, 1000), (std::vector<int64_t>{1000}));
  EXPECT_EQ(DoublingLooks(0, 3), (std::vector<int64_t>{1, 3}));
}

}  // namespace
}  // namespace tersor
