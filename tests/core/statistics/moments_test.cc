#include "core/statistics/moments.h"

#include <algorithm>
#include <cmath>

#include "gtest/gtest.h"
#include "tests/core/statistics/recorded.h"

namespace tersor {
namespace {

using testing::Numbers;
using testing::Recorded;

TEST(MomentsTest, AreScipys) {
  const auto& recorded = Recorded("moments");
  std::vector<double> values = Numbers(recorded["values"]);
  EXPECT_NEAR(Mean(values), recorded["mean"].get<double>(), 1e-14);
  EXPECT_NEAR(StandardError(values), recorded["standard_error"].get<double>(), 1e-14);
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  for (const auto& quantile : recorded["quantiles"]) {
    EXPECT_NEAR(Quantile(values, quantile["share"]), quantile["value"].get<double>(), 1e-14) << quantile;
    EXPECT_EQ(NearestRank(sorted, quantile["share"]), quantile["nearest_rank"].get<double>()) << quantile;
  }
}

TEST(MomentsTest, FewValues) {
  EXPECT_TRUE(std::isnan(Mean({})));
  EXPECT_TRUE(std::isnan(Quantile({}, 0.5)));
  const std::vector<double> one = {3};
  EXPECT_EQ(Mean(one), 3);
  EXPECT_EQ(StandardError(one), 0);
  EXPECT_EQ(Quantile(one, 0.9), 3);
}

TEST(MomentsTest, ClustersOfEqualSizeAreASample) {
  const std::vector<double> sums = {2, 4, 9, 5}, counts = {2, 2, 2, 2}, means = {1, 2, 4.5, 2.5};
  const ClusteredMean clustered = MeanOverClusters(sums, counts);
  EXPECT_NEAR(clustered.mean, Mean(means), 1e-15);
  EXPECT_NEAR(clustered.standard_error, StandardError(means), 1e-15);
  EXPECT_EQ(clustered.clusters, 4);
  EXPECT_EQ(MeanOverClusters(std::vector<double>{5}, std::vector<double>{2}).standard_error, 0);
}

}  // namespace
}  // namespace tersor
