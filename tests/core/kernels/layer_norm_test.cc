#include "core/kernels/layer_norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/kernels/reference.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

TEST(LayerNormTest, MatchesTheReference) {
  for (const int64_t width : {2, 3, 16, 31, 64, 577}) {
    const std::vector<float> weight = RandomFloats(width, 1), bias = RandomFloats(width, 2);
    const int64_t stride = width + 5;
    std::vector<float> x = RandomFloats(3 * stride, 3), y(3 * stride);
    for (float& value : x) value += 10;
    LayerNorm(x.data(), stride, 3, width, weight.data(), bias.data(), 1e-5f, y.data(), stride);
    for (int64_t row = 0; row < 3; ++row) {
      const auto expected = reference::LayerNorm(std::span(x).subspan(row * stride, width), weight, bias, 1e-5);
      for (int64_t i = 0; i < width; ++i) EXPECT_NEAR(y[row * stride + i], expected[i], 2e-5) << width;
    }
    LayerNorm(x.data(), stride, 3, width, weight.data(), bias.data(), 1e-5f, x.data(), stride);
    EXPECT_EQ(x[0], y[0]);
  }
}

}  // namespace
}  // namespace tersor
