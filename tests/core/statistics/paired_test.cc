#include "core/statistics/paired.h"

#include <cmath>
#include <random>

#include "core/statistics/distributions.h"
#include "gtest/gtest.h"
#include "tests/core/statistics/recorded.h"

namespace tersor {
namespace {

using testing::Numbers;
using testing::Recorded;

TEST(PairedTest, CountsFlipsBothWays) {
  const std::vector<double> before = {1, 1, 0, 0, 1, 0}, after = {1, 0, 1, 0, 0, 0};
  const Flips flips = CountFlips(before, after);
  EXPECT_EQ(flips.items, 6);
  EXPECT_EQ(flips.lost, 2);
  EXPECT_EQ(flips.won, 1);
}

TEST(PairedTest, TangoAndMcNemarAreTheIndependentAnswers) {
  for (const auto& point : Recorded("tango")) {
    const Flips flips = {.items = point["n"], .lost = point["lost"], .won = point["won"]};
    const Interval interval = TangoInterval(flips, point["confidence"]);
    EXPECT_NEAR(interval.low, point["low"].get<double>(), 1e-6) << point;
    EXPECT_NEAR(interval.high, point["high"].get<double>(), 1e-6) << point;
    EXPECT_NEAR(McNemarExact(flips), point["mcnemar"].get<double>(), 1e-12) << point;
  }
}

// Without flips the score interval has a closed form: z^2 / (n + z^2).
TEST(PairedTest, NoFlipsAreNoCertainty) {
  const double z2 = std::pow(TwoSidedNormal(0.95), 2);
  for (const int64_t n : {1, 20, 1000}) {
    const Interval interval = TangoInterval({.items = n}, 0.95);
    EXPECT_NEAR(interval.high, z2 / (n + z2), 1e-9);
    EXPECT_NEAR(interval.low, -interval.high, 1e-9);
  }
}

TEST(PairedTest, TheEndsOfTheScale) {
  EXPECT_EQ(TangoInterval({}, 0.95).high, 1);
  const Interval all_lost = TangoInterval({.items = 10, .lost = 10}, 0.95);
  EXPECT_EQ(all_lost.high, 1);
  EXPECT_GT(all_lost.low, 0.4);
  const Interval all_won = TangoInterval({.items = 10, .won = 10}, 0.95);
  EXPECT_EQ(all_won.low, -1);
  EXPECT_NEAR(all_won.high, -all_lost.low, 1e-12);
}

TEST(PairedTest, ScoresBetweenAreStudents) {
  const auto& recorded = Recorded("student");
  const PairedDrop drop =
      DropOnSameItems(Numbers(recorded["before"]), Numbers(recorded["after"]), recorded["confidence"]);
  EXPECT_NEAR(drop.drop, recorded["drop"].get<double>(), 1e-14);
  EXPECT_NEAR(drop.interval.low, recorded["low"].get<double>(), 1e-11);
  EXPECT_NEAR(drop.interval.high, recorded["high"].get<double>(), 1e-11);
}

TEST(PairedTest, ScoresThatNeverDifferKeepAnInterval) {
  const std::vector<double> scores = {0.2, 0.7, 0.5};
  const PairedDrop drop = DropOnSameItems(scores, scores, 0.95);
  EXPECT_EQ(drop.drop, 0);
  EXPECT_NEAR(drop.interval.high, TangoInterval({.items = 3}, 0.95).high, 1e-12);
}

// The interval's promise, kept at a hard place: few items, few flips.
TEST(PairedTest, TangoHoldsItsLevel) {
  std::mt19937 random(7);
  std::discrete_distribution<int> outcome({0.03, 0.01, 0.96});
  int missed = 0;
  constexpr int kTrials = 4000;
  for (int trial = 0; trial < kTrials; ++trial) {
    Flips flips = {.items = 100};
    for (int i = 0; i < 100; ++i) {
      const int kind = outcome(random);
      flips.lost += kind == 0;
      flips.won += kind == 1;
    }
    const Interval interval = TangoInterval(flips, 0.95);
    missed += interval.low > 0.02 || interval.high < 0.02;
  }
  EXPECT_LT(missed, 0.06 * kTrials);
  EXPECT_GT(missed, 0.01 * kTrials);
}

TEST(PairedTest, PerplexityRatioAgreesWithJackknifeAndBootstrap) {
  const auto& recorded = Recorded("perplexity_ratio");
  const std::vector<double> tokens = Numbers(recorded["tokens"]);
  double total = 0;
  for (const double count : tokens) total += count;
  const PairedRatio ratio =
      PerplexityRatioOnBlocks(Numbers(recorded["before"]), Numbers(recorded["after"]), tokens, total, 0.95);
  EXPECT_NEAR(ratio.ratio, recorded["ratio"].get<double>(), 1e-13);
  EXPECT_NEAR(ratio.standard_error, recorded["jackknife_error"].get<double>(), 2e-3 * ratio.standard_error);
  EXPECT_NEAR(ratio.interval.low, recorded["bootstrap_low"].get<double>(), 4e-4);
  EXPECT_NEAR(ratio.interval.high, recorded["bootstrap_high"].get<double>(), 4e-4);
}

TEST(PairedTest, PerWordRatiosScaleTheLogarithm) {
  const std::vector<double> before = {10, 20, 31}, after = {11, 22, 33}, tokens = {5, 10, 15};
  const PairedRatio per_token = PerplexityRatioOnBlocks(before, after, tokens, 30, 0.95),
                    per_word = PerplexityRatioOnBlocks(before, after, tokens, 20, 0.95);
  EXPECT_NEAR(std::log(per_word.ratio), 1.5 * std::log(per_token.ratio), 1e-14);
  EXPECT_NEAR(std::log(per_word.interval.high), 1.5 * std::log(per_token.interval.high), 1e-12);
}

TEST(PairedTest, OneBlockTellsNothing) {
  const PairedRatio ratio =
      PerplexityRatioOnBlocks(std::vector<double>{10}, std::vector<double>{11}, std::vector<double>{10}, 10, 0.95);
  EXPECT_NEAR(ratio.ratio, std::exp(0.1), 1e-14);
  EXPECT_EQ(ratio.interval.low, 0);
  EXPECT_TRUE(std::isinf(ratio.interval.high));
}

}  // namespace
}  // namespace tersor
