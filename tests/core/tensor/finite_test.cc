#include "core/tensor/finite.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/tensor/float16.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

template <typename Value>
int64_t First(DType dtype, const std::vector<Value>& values) {
  return FirstNonFinite(dtype, reinterpret_cast<const std::byte*>(values.data()), static_cast<int64_t>(values.size()));
}

// Odd lengths around the runs that are looked through as a whole, a value at every place that matters.
template <typename Value>
void ExpectFound(DType dtype, Value sound, const std::vector<Value>& bad) {
  for (const size_t size : {1, 2, 31, 33, 4095, 4096, 4097, 9001}) {
    std::vector<Value> values(size, sound);
    EXPECT_EQ(First(dtype, values), -1);
    for (const Value value : bad) {
      for (const size_t at : {size_t{0}, size / 2, size - 1}) {
        values.assign(size, sound);
        values[at] = value;
        EXPECT_EQ(First(dtype, values), static_cast<int64_t>(at)) << size;
        values[size - 1] = bad.front();
        EXPECT_EQ(First(dtype, values), static_cast<int64_t>(at)) << size;
      }
    }
  }
}

TEST(FiniteTest, FindsTheFirstOfEveryType) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  ExpectFound<float>(DType::kF32, -3.4e38f, {nan, infinity, -infinity, -nan});
  ExpectFound<double>(DType::kF64, 1e300, {std::nan(""), HUGE_VAL, -HUGE_VAL});
  ExpectFound<uint16_t>(DType::kF16, FloatToF16(-65504), {0x7c00, 0xfc00, 0x7e00, 0x7c01, 0xffff});
  ExpectFound<uint16_t>(DType::kBF16, FloatToBF16(-3e38f), {0x7f80, 0xff80, 0x7fc0, 0x7f81, 0xffff});
}

TEST(FiniteTest, EveryPatternOf16BitsIsWhatItsFloatIs) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const std::vector<uint16_t> one = {static_cast<uint16_t>(bits)};
    EXPECT_EQ(First(DType::kF16, one) < 0, std::isfinite(F16ToFloat(one[0]))) << bits;
    EXPECT_EQ(First(DType::kBF16, one) < 0, std::isfinite(BF16ToFloat(one[0]))) << bits;
  }
}

TEST(FiniteTest, NeedsNoAlignment) {
  std::vector<std::byte> bytes(1 + 4 * 100);
  const float nan = std::nanf("");
  std::memcpy(bytes.data() + 1 + 4 * 77, &nan, sizeof(nan));
  EXPECT_EQ(FirstNonFinite(DType::kF32, bytes.data() + 1, 100), 77);
  EXPECT_EQ(FirstNonFinite(DType::kF32, bytes.data() + 1, 77), -1);
}

TEST(FiniteTest, IntegersAreFinite) { EXPECT_EQ(First(DType::kI32, std::vector<int32_t>(9, -1)), -1); }

}  // namespace
}  // namespace tersor
