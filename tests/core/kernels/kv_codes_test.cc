#include "core/kernels/kv_codes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/tensor/float16.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

TEST(KvCodesTest, ValuesAreWithinHalfAStep) {
  for (const int bits : {2, 4, 8}) {
    for (const int64_t count : {1, 7, 64, 80, 96, 129}) {
      const std::vector<float> x = RandomFloats(count, static_cast<uint32_t>(count));
      std::vector<uint8_t> codes(KvRunBytes(count, bits) + 1, 0xa5);
      const KvGrid grid = QuantizeKvRun(x.data(), count, bits, codes.data());
      EXPECT_EQ(codes.back(), 0xa5) << "written beyond the run";
      std::vector<float> y(count + 1, 7.0f);
      DequantizeKvRun(codes.data(), count, bits, grid, y.data());
      EXPECT_EQ(y.back(), 7.0f) << "written beyond the run";
      const float range = *std::max_element(x.begin(), x.end()) - *std::min_element(x.begin(), x.end());
      // Half a step, and what rounding scale and minimum to F16 does.
      const double tolerance = range / ((1 << bits) - 1) / 2 + 2e-3 * (range + std::abs(F16ToFloat(grid.minimum)));
      const int64_t bytes = KvRunBytes(count, bits);
      for (int64_t i = 0; i < count; ++i) {
        EXPECT_NEAR(y[i], x[i], tolerance) << bits << " bits, " << count << " values";
        const int code = codes[i % bytes] >> (i / bytes * bits) & ((1 << bits) - 1);
        EXPECT_EQ(y[i], std::fma(static_cast<float>(code), F16ToFloat(grid.scale), F16ToFloat(grid.minimum)));
      }
    }
  }
}

TEST(KvCodesTest, ConstantAndHugeRuns) {
  for (const float value : {0.0f, -3.0f, 1e30f}) {
    const std::vector<float> x(32, value);
    uint8_t codes[32];
    std::vector<float> y(32);
    DequantizeKvRun(codes, 32, 8, QuantizeKvRun(x.data(), 32, 8, codes), y.data());
    for (const float back : y) EXPECT_EQ(back, std::min(value, 65504.0f));
  }
}

TEST(KvCodesTest, Transposes) {
  const std::vector<float> x = RandomFloats(13 * 21, 9);
  std::vector<float> y(21 * 16);
  Transpose(x.data(), 21, 13, 21, y.data(), 16);
  for (int r = 0; r < 13; ++r) {
    for (int c = 0; c < 21; ++c) EXPECT_EQ(y[c * 16 + r], x[r * 21 + c]);
  }
}

}  // namespace
}  // namespace tersor
