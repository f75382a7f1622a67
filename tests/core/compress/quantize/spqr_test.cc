#include "core/compress/quantize/spqr.h"

#include "core/compress/quantize/bilevel_grids.h"
#include "core/encoding/sparse_tensor.h"
#include "core/encoding/sum_tensor.h"
#include "gmock/gmock.h"
#include "tests/core/compress/quantize/calibrated_layer.h"

namespace tersor {
namespace {

TEST(SpqrTest, AWeightIsJudgedByTheGridOfTheOthers) {
  // With 2 bits: the others of the last weight span 0 .. 3 in steps of 1.
  const std::vector<float> weights = {1, 2, 3, 10};
  const std::vector<float> costs = LeaveOneOutCosts({weights.data(), 1, 4}, {1, 1, 1, 2}, 2, 4, 1);
  EXPECT_FLOAT_EQ(costs[3], 2 * 49);
  // The grid of all of them spans 0 .. 10 in steps of 10 / 3.
  EXPECT_NEAR(costs[0], 1, 1e-5);
  EXPECT_NEAR(costs[2], 1.0 / 9, 1e-5);
}

TEST(SpqrTest, KeepsTheAskedShareInFloat) {
  testing::CalibratedLayer layer(40, 128);
  layer.weights[5 * 128 + 17] = 3;
  const auto outcome = layer.Apply("spqr { outliers: 0.02 }");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  const auto& sum = dynamic_cast<const SumTensor&>(*outcome->replacements[0].tensor);
  const auto& sparse = dynamic_cast<const SparseTensor&>(*sum.terms()[1]);
  EXPECT_EQ(sparse.count(), 102);
  EXPECT_NEAR(outcome->layers[0].outlier_share(), 102.0 / (40 * 128), 1e-9);
  EXPECT_EQ(sum.byte_size(), sum.terms()[0]->byte_size() + 41 * 4 + 102 * 4);
  // Codes, two 3-bit codes a group of 16, and 6 bytes a group of a tile of 16 rows, the last one of 8.
  EXPECT_EQ(sum.terms()[0]->byte_size(), 40 * (48 + 3 + 3) + 3 * 8 * 6);
  EXPECT_NEAR(sum.Decode()[5 * 128 + 17], 3, 0.1);
  EXPECT_NEAR(outcome->layers[0].relative_error(), layer.OutputError(sum), 1e-6);
}

TEST(SpqrTest, OutliersAndSmallGroupsPay) {
  testing::CalibratedLayer layer(64, 256);
  std::mt19937 random(5);
  for (int i = 0; i < 100; ++i) layer.weights[random() % layer.weights.size()] *= 8;
  const auto result = [&](const std::string& stage) { return layer.Apply(stage)->layers[0]; };
  const v1::LayerResult plain = result("spqr { outliers: 0 }"), sparse = result("spqr { outliers: 0.01 }");
  EXPECT_LT(sparse.relative_error(), 0.8 * plain.relative_error());
  const v1::LayerResult gptq = result("gptq { bits: 3 group_size: 16 symmetric: false }");
  EXPECT_LT(sparse.relative_error(), gptq.relative_error());
  EXPECT_LT(sparse.true_bits(), gptq.true_bits());
}

TEST(SpqrTest, SecondLevelGridsHoldWhatTheySpan) {
  // Scales and zero points that lie on a grid of 3 bits come back as they are.
  const BilevelIntLayout layout = {.rows = 32, .columns = 16};
  PanelGrids free;
  for (int64_t row = 0; row < kPanelRows; ++row) {
    free.scales[row] = 0.5f + 0.125f * static_cast<float>(row % 8);
    free.zero_points[row] = static_cast<float>((row * 3) % 8);
  }
  std::vector<float> values(16 * kPanelRows);
  for (int64_t k = 0; k < 16; ++k) {
    for (int64_t row = 0; row < kPanelRows; ++row) {
      values[k * kPanelRows + row] = (static_cast<float>(k % 8) - free.zero_points[row]) * free.scales[row];
    }
  }
  BilevelIntParts parts(layout);
  const PanelGrids grids = QuantizeGrids(free, values.data(), 16, nullptr, layout, 0, 0, parts);
  for (int64_t row = 0; row < kPanelRows; ++row) {
    EXPECT_EQ(grids.scales[row], free.scales[row]) << row;
    EXPECT_EQ(grids.zero_points[row], free.zero_points[row]) << row;
  }
}

}  // namespace
}  // namespace tersor
