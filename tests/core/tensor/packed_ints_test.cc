#include "core/tensor/packed_ints.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

// Element i at bit i * bits, one bit at a time.
uint8_t ReferenceElement(const std::vector<std::byte>& packed, int bits, int64_t index) {
  int value = 0;
  for (int bit = 0; bit < bits; ++bit) {
    const int64_t position = index * bits + bit;
    value |= ((static_cast<int>(packed[position / 8]) >> (position % 8)) & 1) << bit;
  }
  return static_cast<uint8_t>(value);
}

std::vector<uint8_t> SomeValues(int64_t count, int bits) {
  std::vector<uint8_t> values(count);
  uint32_t state = 12345;
  for (uint8_t& value : values) {
    state = state * 1664525 + 1013904223;
    value = static_cast<uint8_t>((state >> 16) & ((1u << bits) - 1));
  }
  return values;
}

class PackedIntsTest : public ::testing::TestWithParam<int> {};

TEST_P(PackedIntsTest, EveryLengthAndStartMatchesTheReference) {
  const int bits = GetParam();
  for (const int64_t count : {0, 1, 7, 8, 9, 31, 64, 577}) {
    const std::vector<uint8_t> values = SomeValues(count, bits);
    // Whatever was there before, padding is zero.
    std::vector<std::byte> packed(PackedBytes(count, bits), std::byte{0xff});
    ASSERT_TRUE(PackInts(values, bits, packed).ok());
    for (int64_t i = 0; i < count; ++i) ASSERT_EQ(ReferenceElement(packed, bits, i), values[i]) << i;
    if (count * bits % 8 != 0) {
      EXPECT_EQ(static_cast<int>(packed.back()) >> (count * bits % 8), 0) << count;
    }
    for (const int64_t first : {0, 1, 5, 8, 13}) {
      if (first > count) continue;
      std::vector<uint8_t> again(count - first);
      ASSERT_TRUE(UnpackInts(packed, bits, first, again).ok());
      EXPECT_TRUE(std::equal(again.begin(), again.end(), values.begin() + first)) << count << " from " << first;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Bits, PackedIntsTest, ::testing::Range(2, 9));

TEST(PackedIntsErrorTest, ThreeBitsCrossBytes) {
  std::vector<std::byte> packed(2);
  ASSERT_TRUE(PackInts(std::vector<uint8_t>{1, 2, 7, 4}, 3, packed).ok());
  // 1 | 2 << 3 | 7 << 6 | 4 << 9
  EXPECT_EQ(packed, (std::vector<std::byte>{std::byte{0xd1}, std::byte{0x09}}));
}

TEST(PackedIntsErrorTest, RefusesWhatDoesNotFit) {
  std::vector<std::byte> packed(1);
  EXPECT_THAT(PackInts(std::vector<uint8_t>{3, 16}, 4, packed).message(), HasSubstr("value 16 at 1"));
  EXPECT_EQ(PackInts(std::vector<uint8_t>{1, 2, 3}, 4, packed).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PackInts(std::vector<uint8_t>{1}, 9, packed).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(PackedBytes(1, 1), -1);
  EXPECT_EQ(PackedBytes(-1, 4), -1);
  EXPECT_EQ(PackedBytes(int64_t{1} << 60, 4), -1);
}

TEST(PackedIntsErrorTest, NeverReadsPastTheEnd) {
  const std::vector<std::byte> packed(3);
  std::vector<uint8_t> values(8);
  EXPECT_TRUE(UnpackInts(packed, 3, 0, values).ok());
  EXPECT_EQ(UnpackInts(packed, 3, 1, values).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(UnpackInts(packed, 3, -1, values).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(UnpackInts(packed, 3, int64_t{1} << 62, values).code(), absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace tersor
