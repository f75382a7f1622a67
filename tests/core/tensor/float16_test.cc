#include "core/tensor/float16.h"

#include <cmath>
#include <limits>

#include "gtest/gtest.h"

namespace tersor {
namespace {

// The value of a half by its definition: sign, 5 exponent bits, 10 fraction bits.
double ReferenceF16(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int fraction = half & 1023;
  const double sign = half & 0x8000 ? -1 : 1;
  if (exponent == 31) return fraction ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  return exponent ? sign * std::ldexp(1024 + fraction, exponent - 25) : sign * std::ldexp(fraction, -24);
}

TEST(Float16Test, EveryHalfDecodesByDefinitionAndRoundTrips) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const uint16_t half = static_cast<uint16_t>(bits);
    const double expected = ReferenceF16(half);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(F16ToFloat(half)));
      EXPECT_TRUE(std::isnan(F16ToFloat(FloatToF16(F16ToFloat(half)))));
      continue;
    }
    ASSERT_EQ(F16ToFloat(half), expected) << bits;
    ASSERT_EQ(FloatToF16(F16ToFloat(half)), half) << bits;
  }
}

TEST(Float16Test, RoundsHalfwayToEven) {
  for (uint32_t bits = 0; bits < 0x7bff; ++bits) {
    const float low = F16ToFloat(static_cast<uint16_t>(bits));
    const float high = F16ToFloat(static_cast<uint16_t>(bits + 1));
    const float middle = low + (high - low) / 2;
    const uint32_t even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(FloatToF16(middle), even) << bits;
    ASSERT_EQ(FloatToF16(std::nextafter(middle, 0.0f)), bits) << bits;
    ASSERT_EQ(FloatToF16(std::nextafter(middle, 1e9f)), bits + 1) << bits;
  }
}

TEST(Float16Test, OverflowIsInfinity) {
  EXPECT_EQ(FloatToF16(65519.9f), 0x7bff);
  EXPECT_EQ(FloatToF16(65520.0f), 0x7c00);
  EXPECT_EQ(FloatToF16(-1e30f), 0xfc00);
}

TEST(Float16Test, BF16RoundsToNearestEven) {
  EXPECT_EQ(FloatToBF16(1.0f), 0x3f80);
  EXPECT_EQ(FloatToBF16(std::bit_cast<float>(0x3f808000u)), 0x3f80);
  EXPECT_EQ(FloatToBF16(std::bit_cast<float>(0x3f818000u)), 0x3f82);
  EXPECT_EQ(FloatToBF16(std::bit_cast<float>(0x3f808001u)), 0x3f81);
  EXPECT_TRUE(std::isnan(BF16ToFloat(FloatToBF16(std::nanf("")))));
}

}  // namespace
}  // namespace tersor
