#include "core/kernels/bit_plane_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/kernels/reference.h"
#include "core/kernels/row_product.h"
#include "core/tensor/float16.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

TEST(BitPlaneMatrixTest, MatchesTheReferenceAndDecodesToTheValues) {
  for (int planes = 1; planes <= 8; ++planes) {
    for (const auto& [outputs, inputs, group] :
         std::vector<std::array<int64_t, 3>>{{33, 96, 32}, {16, 192, 64}, {1, 7, 7}, {50, 77, 77}}) {
      const BitPlaneShape shape{outputs, inputs, planes, group};
      const int64_t groups = inputs / group;
      std::mt19937 random(planes);
      std::vector<uint8_t> codes(outputs * inputs);
      std::vector<uint16_t> scales(outputs * groups * planes);
      for (uint8_t& code : codes) code = random() % (1 << planes);
      for (uint16_t& scale : scales) scale = FloatToF16(static_cast<float>(random() % 1000) / 1000);
      std::vector<float> values;
      for (int64_t i = 0; i < outputs * inputs; ++i) {
        float value = 0;
        for (int plane = 0; plane < planes; ++plane) {
          const int64_t at = (i / inputs * groups + i % inputs / group) * planes + plane;
          value += (codes[i] >> plane & 1) != 0 ? F16ToFloat(scales[at]) : -F16ToFloat(scales[at]);
        }
        values.push_back(value);
      }
      const auto matrix = BitPlaneMatrix::Pack(
          shape, 2, [&](int64_t row, std::span<uint8_t> row_codes, std::span<uint16_t> row_scales) {
            std::copy_n(codes.begin() + row * inputs, inputs, row_codes.begin());
            std::copy_n(scales.begin() + row * groups * planes, groups * planes, row_scales.begin());
          });
      ASSERT_TRUE(matrix.ok()) << matrix.status();
      const std::vector<float> x = RandomFloats(inputs, 2), bias = RandomFloats(outputs, 3);
      const std::vector<double> expected = reference::MatMul(x, values, bias, 1, outputs, inputs);
      for (const int threads : {1, 3}) {
        std::vector<float> y(outputs, 1.0f);
        const RowProduct product[] = {
            {&*matrix, {x.data(), matrix->inputs(), 1, bias.data(), true, y.data(), matrix->outputs()}}};
        ASSERT_TRUE(MultiplyRows(threads, product).ok());
        for (int64_t o = 0; o < outputs; ++o) ASSERT_NEAR(y[o], expected[o] + 1, 2e-5 * planes * std::sqrt(inputs));
      }
      const auto packed = PackedMatrix::Pack(values, outputs, inputs, Precision::kF32);
      const auto decoded = matrix->Decode(Precision::kF32, 1);
      ASSERT_TRUE(packed.ok() && decoded.ok());
      std::vector<float> a(outputs), b(outputs);
      ASSERT_TRUE(packed->MultiplyPanels(0, packed->panels(), x.data(), nullptr, false, a.data()).ok());
      ASSERT_TRUE(decoded->MultiplyPanels(0, decoded->panels(), x.data(), nullptr, false, b.data()).ok());
      EXPECT_EQ(a, b);
    }
  }
}

TEST(BitPlaneMatrixTest, RefusesWhatHasNoKernel) {
  EXPECT_FALSE(BitPlaneMatrix::Supports({16, 64, 9, 32}));
  EXPECT_FALSE(BitPlaneMatrix::Supports({16, 64, 0, 32}));
  EXPECT_FALSE(BitPlaneMatrix::Supports({16, 64, 4, 16}));
  EXPECT_FALSE(BitPlaneMatrix::Pack({16, 64, 4, 16}, 1, [](int64_t, std::span<uint8_t>, std::span<uint16_t>) {}).ok());
}

}  // namespace
}  // namespace tersor
