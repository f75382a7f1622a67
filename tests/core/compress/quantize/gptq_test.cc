#include "core/compress/quantize/gptq.h"

#include <random>

#include "core/encoding/dense_tensor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

// Inputs whose second moment is numerically singular: far fewer tokens than inputs, of very different sizes.
InputStatistics SingularStatistics(int64_t width) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> inputs(4 * width);
  for (int64_t i = 0; i < 4 * width; ++i) inputs[i] = normal(random) * (i % width == 0 ? 1e6f : 1.0f);
  InputStatistics statistics(width, {Statistic::kSecondMoment});
  EXPECT_TRUE(statistics.Add({.inputs = {inputs.data(), 4, width}, .dense_inputs = {}}, 1, nullptr).ok());
  return statistics;
}

SegmentTask MakeTask(const InputStatistics& statistics) {
  std::mt19937 random(4);
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> weights(5 * statistics.width());
  for (float& weight : weights) weight = normal(random);
  SegmentTask task;
  task.layers.push_back(
      {{"block.down_proj", 5, statistics.width()}, *DenseTensor::FromFloats({5, statistics.width()}, weights)});
  task.statistics = &statistics;
  return task;
}

GptqOptions WithPolicy(v1::FactorizationFailurePolicy policy) {
  GptqOptions options;
  options.grid.group_size = 16;
  options.feedback.damping = 0;
  options.feedback.on_failure = policy;
  return options;
}

TEST(GptqTest, FailurePolicyFailsAndNamesTheLayer) {
  const InputStatistics statistics = SingularStatistics(64);
  const absl::Status status =
      GptqMethod(WithPolicy(v1::FACTORIZATION_FAILURE_POLICY_FAIL)).Apply(MakeTask(statistics)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("block.down_proj"));
  EXPECT_THAT(status.message(), HasSubstr("pivot"));
}

TEST(GptqTest, FailurePolicyDampsAndSaysSo) {
  const InputStatistics statistics = SingularStatistics(64);
  const absl::StatusOr<SegmentOutcome> outcome =
      GptqMethod(WithPolicy(v1::FACTORIZATION_FAILURE_POLICY_MORE_DAMPING)).Apply(MakeTask(statistics));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_FALSE(outcome->warnings.empty());
  EXPECT_EQ(outcome->warnings[0].code(), "FACTORIZATION_DAMPED");
  EXPECT_EQ(outcome->warnings[0].where(), "block.down_proj");
  EXPECT_THAT(outcome->layers[0].note(), HasSubstr("damping raised to 0.001"));
}

TEST(GptqTest, TellsDampingAndDeadInputs) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  std::vector<float> inputs(200 * 32);
  for (size_t i = 0; i < inputs.size(); ++i) inputs[i] = i % 32 == 9 ? 0.0f : normal(random);
  InputStatistics statistics(32, {Statistic::kSecondMoment});
  ASSERT_TRUE(statistics.Add({.inputs = {inputs.data(), 200, 32}, .dense_inputs = {}}, 1, nullptr).ok());
  GptqOptions options = WithPolicy(v1::FACTORIZATION_FAILURE_POLICY_FAIL);
  options.feedback.damping = 0.02;
  const absl::StatusOr<SegmentOutcome> outcome = GptqMethod(options).Apply(MakeTask(statistics));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->layers[0].damping(), 0.02);
  EXPECT_EQ(outcome->layers[0].dead_columns(), 1);
}

TEST(GptqTest, FailurePolicyRoundsToNearestAndSaysSo) {
  const InputStatistics statistics = SingularStatistics(64);
  const absl::StatusOr<SegmentOutcome> outcome =
      GptqMethod(WithPolicy(v1::FACTORIZATION_FAILURE_POLICY_RTN)).Apply(MakeTask(statistics));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_EQ(outcome->warnings.size(), 1);
  EXPECT_EQ(outcome->warnings[0].code(), "FACTORIZATION_FAILED_RTN");
  EXPECT_THAT(outcome->layers[0].note(), HasSubstr("rounded to nearest"));
}

TEST(GptqTest, MomentThatIsNotFiniteIsNeverDamped) {
  InputStatistics statistics(16, {Statistic::kSecondMoment});
  // Finite, but their squares are not.
  std::vector<float> inputs(16, 1e30f);
  ASSERT_TRUE(statistics.Add({.inputs = {inputs.data(), 1, 16}, .dense_inputs = {}}, 1, nullptr).ok());
  GptqOptions options = WithPolicy(v1::FACTORIZATION_FAILURE_POLICY_MORE_DAMPING);
  const absl::Status status = GptqMethod(options).Apply(MakeTask(statistics)).status();
  EXPECT_THAT(status.message(), HasSubstr("not finite"));
}

TEST(GptqTest, RefusesWeightsThatAreNotNumbers) {
  const InputStatistics statistics = SingularStatistics(16);
  SegmentTask task = MakeTask(statistics);
  std::vector<float> weights(5 * 16, 0.1f);
  weights[37] = std::nanf("");
  task.layers[0].weight = *DenseTensor::FromFloats({5, 16}, weights);
  GptqOptions options;
  options.grid.group_size = 16;
  EXPECT_THAT(GptqMethod(options).Apply(task).status().message(), HasSubstr("block.down_proj: weight [2, 5] is nan"));
}

}  // namespace
}  // namespace tersor
