#include "core/compress/outlier_check.h"

#include "core/encoding/dense_tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kOutputs = 70, kInputs = 8;

SegmentTask Task(float weight_of_channel_3) {
  std::vector<float> weights(kOutputs * kInputs, 0.5f);
  weights[69 * kInputs + 3] = weight_of_channel_3;
  SegmentTask task;
  task.layers = {{{"model.layers.1.mlp.down_proj", kOutputs, kInputs},
                  *DenseTensor::FromFloats({kOutputs, kInputs}, std::move(weights))}};
  task.threads = 2;
  return task;
}

InputStatistics Inputs(float channel_6, std::set<Statistic> wanted) {
  std::vector<float> x(4 * kInputs, 0.25f);
  x[2 * kInputs + 6] = -channel_6;
  InputStatistics statistics(kInputs, std::move(wanted));
  EXPECT_TRUE(statistics.Add({.inputs = {x.data(), 4, kInputs}, .dense_inputs = {}}, 1, nullptr).ok());
  return statistics;
}

TEST(OutlierCheckTest, WeightsBeyondTheRatioAreNamed) {
  EXPECT_THAT(*FindExtremeOutliers(Task(499)), IsEmpty());
  const absl::StatusOr<std::vector<v1::Warning>> warnings = FindExtremeOutliers(Task(-5000));
  ASSERT_TRUE(warnings.ok()) << warnings.status();
  ASSERT_THAT(*warnings, SizeIs(1));
  EXPECT_EQ((*warnings)[0].code(), "EXTREME_OUTLIERS");
  EXPECT_EQ((*warnings)[0].where(), "model.layers.1.mlp.down_proj");
  EXPECT_THAT((*warnings)[0].message(),
              HasSubstr("weights of input channel 3 reach 5e+03, 10000 times the median channel's 0.5"));
}

TEST(OutlierCheckTest, InputsBeyondTheRatioAreNamedByWhateverWasGathered) {
  SegmentTask task = Task(0.5f);
  for (const Statistic statistic : {Statistic::kAbsMax, Statistic::kRange, Statistic::kSecondMoment}) {
    const InputStatistics usual = Inputs(200, {statistic}), extreme = Inputs(5000, {statistic});
    task.statistics = &usual;
    EXPECT_THAT(*FindExtremeOutliers(task), IsEmpty());
    task.statistics = &extreme;
    const absl::StatusOr<std::vector<v1::Warning>> warnings = FindExtremeOutliers(task);
    ASSERT_TRUE(warnings.ok()) << warnings.status();
    ASSERT_THAT(*warnings, SizeIs(1)) << StatisticName(statistic);
    EXPECT_THAT((*warnings)[0].message(), HasSubstr("inputs of channel 6 reach "));
  }
}

// A model most of whose channels are unused has no usual magnitude of 0.
TEST(OutlierCheckTest, DeadChannelsAreNotTheMedian) {
  std::vector<float> weights(kOutputs * kInputs, 0.0f);
  weights[0] = 1;
  weights[1] = 2;
  SegmentTask task = Task(0);
  task.layers[0].weight = *DenseTensor::FromFloats({kOutputs, kInputs}, std::move(weights));
  EXPECT_THAT(*FindExtremeOutliers(task), IsEmpty());
}

}  // namespace
}  // namespace tersor
