#include "core/statistics/bootstrap.h"

#include <cmath>

#include "core/statistics/moments.h"
#include "gtest/gtest.h"
#include "tests/core/statistics/recorded.h"

namespace tersor {
namespace {

using testing::Numbers;
using testing::Recorded;

double Pearson(std::span<const uint32_t> items, const std::vector<double>& a, const std::vector<double>& b) {
  double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;
  for (const uint32_t item : items) {
    mean_a += a[item] / items.size();
    mean_b += b[item] / items.size();
  }
  for (const uint32_t item : items) {
    ab += (a[item] - mean_a) * (b[item] - mean_b);
    aa += (a[item] - mean_a) * (a[item] - mean_a);
    bb += (b[item] - mean_b) * (b[item] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

TEST(BootstrapTest, TheErrorOfACorrelationIsNumpys) {
  const auto& recorded = Recorded("correlation");
  const std::vector<double> a = Numbers(recorded["a"]), b = Numbers(recorded["b"]);
  const double expected = recorded["pearson_bootstrap_error"];
  const auto pearson = [&](std::span<const uint32_t> items) { return Pearson(items, a, b); };
  const std::vector<double> replicates = BootstrapReplicates(80, pearson, 4000);
  EXPECT_NEAR(BootstrapError(replicates), expected, 0.06 * expected);
}

TEST(BootstrapTest, TheErrorOfAMeanIsTheFormula) {
  const std::vector<double> values = Numbers(Recorded("moments")["values"]);
  const auto mean = [&](std::span<const uint32_t> items) {
    double sum = 0;
    for (const uint32_t item : items) sum += values[item];
    return sum / static_cast<double>(items.size());
  };
  const std::vector<double> replicates = BootstrapReplicates(37, mean, 4000);
  EXPECT_NEAR(BootstrapError(replicates), StandardError(values), 0.06 * StandardError(values));
  const Interval interval = BootstrapInterval(replicates, 0.95);
  EXPECT_NEAR(interval.high - interval.low, 2 * 1.96 * StandardError(values), 0.08 * (interval.high - interval.low));
}

TEST(BootstrapTest, AReplicateDependsOnSeedAndNumberAlone) {
  const auto first = [](std::span<const uint32_t> items) { return static_cast<double>(items[0]); };
  const std::vector<double> many = BootstrapReplicates(1000, first, 50), few = BootstrapReplicates(1000, first, 20);
  EXPECT_EQ(few, std::vector<double>(many.begin(), many.begin() + 20));
  EXPECT_NE(BootstrapReplicates(1000, first, 20, 99), few);
}

TEST(BootstrapTest, UndefinedReplicatesAreLeftOut) {
  EXPECT_TRUE(BootstrapReplicates(
                  3, [](auto) { return std::nan(""); }, 10)
                  .empty());
  EXPECT_TRUE(BootstrapReplicates(
                  0, [](auto) { return 1.0; }, 10)
                  .empty());
  EXPECT_EQ(BootstrapError({}), 0);
  EXPECT_TRUE(std::isinf(BootstrapInterval({}, 0.95).high));
}

}  // namespace
}  // namespace tersor
