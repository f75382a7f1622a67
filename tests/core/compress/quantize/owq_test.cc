#include "core/compress/quantize/owq.h"

#include "core/encoding/columns_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/sum_tensor.h"
#include "gmock/gmock.h"
#include "tests/core/compress/quantize/calibrated_layer.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(OwqTest, SensitivityIsTheMomentTimesTheSquaredError) {
  const std::vector<float> weights = {1, 2, 3, 4, 5, 6}, rounded = {1, 2.5f, 3.1f, 4, 5.5f, 6.1f};
  // Diagonal 100, 1, 10: sensitivities 0, 0.5, 0.2.
  const std::vector<float> moment = {100, 0, 0, 0, 1, 0, 0, 0, 10};
  const auto weak = [&](int64_t count) {
    return WeakColumns({weights.data(), 2, 3}, {rounded.data(), 2, 3}, {moment.data(), 3, 3}, count);
  };
  EXPECT_THAT(weak(1), ElementsAre(1));
  EXPECT_THAT(weak(2), ElementsAre(1, 2));
  EXPECT_THAT(weak(0), ElementsAre());
}

TEST(OwqTest, FloatColumnsAreFloatAndTheOthersOnTheGrid) {
  const testing::CalibratedLayer layer(40, 128);
  for (const char* stage : {"owq { bits: 3 group_size: 32 float_columns: 0.04 }",
                            "owq { bits: 3 group_size: 32 float_columns: 0.04 symmetric: false }"}) {
    const auto outcome = layer.Apply(stage);
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    const auto& sum = dynamic_cast<const SumTensor&>(*outcome->replacements[0].tensor);
    const auto& base = dynamic_cast<const GroupIntTensor&>(*sum.terms()[0]);
    const auto& columns = dynamic_cast<const ColumnsTensor&>(*sum.terms()[1]);
    ASSERT_EQ(columns.Indices().size(), 5);
    const std::vector<float> values = base.Decode(), all = sum.Decode();
    for (const uint32_t column : columns.Indices()) {
      // The largest inputs' columns cost most.
      EXPECT_EQ(column % 29, 3);
      for (int64_t row = 0; row < layer.rows; ++row) EXPECT_EQ(values[row * 128 + column], 0);
    }
    EXPECT_NEAR(outcome->layers[0].outlier_share(), 5.0 / 128, 1e-9);
    EXPECT_NEAR(outcome->layers[0].relative_error(), layer.OutputError(sum), 1e-6);
    EXPECT_DOUBLE_EQ(outcome->layers[0].true_bits(), 8.0 * (base.byte_size() + 5 * (4 + 2 * 40)) / (40 * 128));
  }
}

TEST(OwqTest, BeatsGptqByItsFloatColumns) {
  const testing::CalibratedLayer layer(64, 256);
  const auto error = [&](const std::string& stage) { return layer.Apply(stage)->layers[0].relative_error(); };
  const double gptq = error("gptq { bits: 3 group_size: 64 }");
  EXPECT_NEAR(error("owq { bits: 3 float_columns: 0 }"), gptq, 0.01 * gptq);
  EXPECT_LT(error("owq { bits: 3 float_columns: 0.02 }"), 0.8 * gptq);
  EXPECT_LT(error("owq { bits: 3 float_columns: 0.04 }"), error("owq { bits: 3 float_columns: 0.02 }"));
}

TEST(OwqTest, RoundsToNearestWhereTheMomentCannotBeFactored) {
  testing::CalibratedLayer layer(8, 64);
  layer.statistics = InputStatistics(64, {Statistic::kSecondMoment});
  const std::vector<float> same(128, 1.0f);
  ASSERT_TRUE(layer.statistics.Add({.inputs = {same.data(), 2, 64}, .dense_inputs = {}}, 1, nullptr).ok());
  const std::string stage = "owq { damping: 0 on_factorization_failure: FACTORIZATION_FAILURE_POLICY_";
  const auto nearest = layer.Apply(stage + "RTN }");
  ASSERT_TRUE(nearest.ok()) << nearest.status();
  EXPECT_THAT(nearest->layers[0].note(), HasSubstr("rounded to nearest"));
  ASSERT_EQ(nearest->warnings.size(), 1);
  const auto damped = layer.Apply(stage + "MORE_DAMPING }");
  ASSERT_TRUE(damped.ok()) << damped.status();
  EXPECT_GT(damped->layers[0].damping(), 0);
  const absl::Status failed = layer.Apply(stage + "FAIL }").status();
  EXPECT_EQ(failed.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(failed.message()), HasSubstr("layer"));
}

}  // namespace
}  // namespace tersor
