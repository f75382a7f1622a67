#include "core/compress/outlier_check.h"

#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "core/compress/method_registry.h"
#include "core/encoding/dense_tensor.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kInputs = 8;

std::vector<float> Magnitudes(float of_channel_3) {
  std::vector<float> magnitudes(kInputs, 0.5f);
  magnitudes[3] = of_channel_3;
  return magnitudes;
}

InputStatistics Inputs(float channel_6, std::set<Statistic> wanted) {
  std::vector<float> x(4 * kInputs, 0.25f);
  x[2 * kInputs + 6] = -channel_6;
  InputStatistics statistics(kInputs, std::move(wanted));
  EXPECT_TRUE(statistics.Add({.inputs = {x.data(), 4, kInputs}, .dense_inputs = {}}, 1, nullptr).ok());
  return statistics;
}

TEST(OutlierCheckTest, WeightsBeyondTheRatioAreNamed) {
  EXPECT_EQ(FindWeightOutlier("layer", Magnitudes(499)), std::nullopt);
  const std::optional<v1::Warning> warning = FindWeightOutlier("model.layers.1.mlp.down_proj", Magnitudes(5000));
  ASSERT_TRUE(warning.has_value());
  EXPECT_EQ(warning->code(), "EXTREME_OUTLIERS");
  EXPECT_EQ(warning->where(), "model.layers.1.mlp.down_proj");
  EXPECT_THAT(warning->message(),
              HasSubstr("weights of input channel 3 reach 5e+03, 10000 times the median channel's 0.5"));
}

TEST(OutlierCheckTest, InputsBeyondTheRatioAreNamedByWhateverWasGathered) {
  SegmentTask task;
  EXPECT_EQ(FindInputOutlier(task), std::nullopt);
  task.layers = {{{"model.layers.1.mlp.down_proj", 1, kInputs}, nullptr}};
  EXPECT_EQ(FindInputOutlier(task), std::nullopt);
  for (const Statistic statistic : {Statistic::kAbsMax, Statistic::kRange, Statistic::kSecondMoment}) {
    const InputStatistics usual = Inputs(200, {statistic}), extreme = Inputs(5000, {statistic});
    task.statistics = &usual;
    EXPECT_EQ(FindInputOutlier(task), std::nullopt);
    task.statistics = &extreme;
    const std::optional<v1::Warning> warning = FindInputOutlier(task);
    ASSERT_TRUE(warning.has_value()) << StatisticName(statistic);
    EXPECT_THAT(warning->message(), HasSubstr("inputs of channel 6 reach "));
  }
}

// A model most of whose channels are unused has no usual magnitude of 0.
TEST(OutlierCheckTest, DeadChannelsAreNotTheMedian) {
  std::vector<float> magnitudes(kInputs, 0.0f);
  magnitudes[0] = 1;
  magnitudes[1] = 2;
  EXPECT_EQ(FindWeightOutlier("layer", magnitudes), std::nullopt);
}

// Whatever the method, rows read by different threads, and not on the first tile.
TEST(OutlierCheckTest, EveryMethodWarnsOfTheWeightsItReads) {
  constexpr int64_t kOutputs = 70, kWidth = 64;
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> weights(kOutputs * kWidth), inputs(100 * kWidth);
  for (float& weight : weights) weight = normal(random);
  for (float& input : inputs) input = normal(random);
  weights[69 * kWidth + 3] = -30000;
  InputStatistics statistics(kWidth, {Statistic::kSecondMoment});
  ASSERT_TRUE(statistics.Add({.inputs = {inputs.data(), 100, kWidth}, .dense_inputs = {}}, 1, nullptr).ok());
  SegmentTask task;
  task.layers = {{{"layer", kOutputs, kWidth}, *DenseTensor::FromFloats({kOutputs, kWidth}, weights)}};
  task.statistics = &statistics;
  task.threads = 2;
  for (const char* text : {"rtn {}", "rtn { scale_search: SCALE_SEARCH_MSE }", "gptq {}", "nf4 {}", "spqr {}"}) {
    v1::QuantizeStage stage;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &stage));
    std::vector<FieldViolation> violations;
    const absl::StatusOr<SegmentOutcome> outcome = MakeMethod(stage, "stage", violations)->Apply(task);
    ASSERT_TRUE(outcome.ok()) << text << ": " << outcome.status();
    const auto warning = std::find_if(outcome->warnings.begin(), outcome->warnings.end(),
                                      [](const v1::Warning& one) { return one.code() == "EXTREME_OUTLIERS"; });
    ASSERT_NE(warning, outcome->warnings.end()) << text;
    EXPECT_THAT(warning->message(), HasSubstr("weights of input channel 3 reach 3e+04")) << text;
  }
}

}  // namespace
}  // namespace tersor
