#include "core/kernels/bf16_terms.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "core/tensor/float16.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

TEST(BF16TermsTest, TheFirstIsTheNearest) {
  std::vector<float> x = RandomFloats(1003, 7, 100);
  x[0] = std::numeric_limits<float>::quiet_NaN();
  x[1] = std::numeric_limits<float>::infinity();
  x[2] = -0.0f;
  x[3] = 1.0f + 0x1p-8f;  // ties to even
  x[4] = 1.0f + 3 * 0x1p-8f;
  x[5] = std::numeric_limits<float>::max();
  std::vector<uint16_t> y(x.size());
  SplitToBF16(x.data(), static_cast<int64_t>(x.size()), 1, y.data(), 0);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i], FloatToBF16(x[i])) << x[i];
}

TEST(BF16TermsTest, TheirSumIsTheFloat) {
  for (const int64_t count : {1, 3, 7, 8, 15, 16, 17, 33, 577}) {
    std::vector<float> x = RandomFloats(count, 5);
    for (int64_t i = 0; i < count; ++i) x[i] = std::ldexp(x[i], static_cast<int>(i % 120) - 60);
    x[0] = std::nextafter(1.0f, 2.0f);
    if (count > 2) x[1] = -0.0f, x[2] = -std::nextafter(65504.0f, 0.0f);
    // What lies behind each term must not change.
    const int64_t stride = count + 1;
    std::vector<uint16_t> terms(3 * stride, 0x1234);
    SplitToBF16(x.data(), count, 3, terms.data(), stride);
    for (int64_t i = 0; i < count; ++i) {
      EXPECT_EQ(terms[i], FloatToBF16(x[i])) << x[i];
      double sum = 0;
      for (int term = 0; term < 3; ++term) sum += BF16ToFloat(terms[term * stride + i]);
      EXPECT_EQ(sum, static_cast<double>(x[i])) << i;
    }
    for (int term = 0; term < 3; ++term) EXPECT_EQ(terms[term * stride + count], 0x1234);
    for (const int fewer : {1, 2}) {
      std::vector<uint16_t> first(3 * stride, 0x1234);
      SplitToBF16(x.data(), count, fewer, first.data(), stride);
      EXPECT_TRUE(std::equal(first.begin(), first.begin() + fewer * stride, terms.begin()));
      EXPECT_EQ(first[fewer * stride], 0x1234);
    }
  }
}

// Nothing that is not finite comes out as a finite number.
TEST(BF16TermsTest, InfinitiesAndNaNStayWhatTheyAre) {
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> x = {infinity, -infinity, std::numeric_limits<float>::quiet_NaN(),
                                std::bit_cast<float>(0x7fffffffu), std::bit_cast<float>(0xff800001u)};
  const int64_t count = static_cast<int64_t>(x.size());
  std::vector<uint16_t> terms(3 * count);
  SplitToBF16(x.data(), count, 3, terms.data(), count);
  for (int64_t i = 0; i < count; ++i) {
    const float first = BF16ToFloat(terms[i]);
    EXPECT_EQ(std::isnan(first), std::isnan(x[i])) << i;
    EXPECT_FALSE(std::isfinite(first + BF16ToFloat(terms[count + i]) + BF16ToFloat(terms[2 * count + i]))) << i;
  }
}

}  // namespace
}  // namespace tersor
