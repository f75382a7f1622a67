#include "core/tensor/tensor.h"

#include <bit>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core/tensor/float16.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

TEST(TensorTest, ElementCountRefusesOverflowAndNegatives) {
  EXPECT_EQ(ElementCount({3, 4}), 12);
  EXPECT_EQ(ElementCount({}), 1);
  EXPECT_EQ(ElementCount({0, int64_t{1} << 61}), 0);
  EXPECT_EQ(ElementCount({int64_t{1} << 40, int64_t{1} << 40}), -1);
  EXPECT_EQ(ElementCount({-1, 4}), -1);
}

TEST(TensorTest, ShapeMustMatchBytes) {
  EXPECT_TRUE(Tensor::Own<float>(DType::kF32, {2, 2}, {1, 2, 3, 4}).ok());
  EXPECT_FALSE(Tensor::Own<float>(DType::kF32, {2, 3}, {1, 2, 3, 4}).ok());
  EXPECT_FALSE(Tensor::Own<float>(DType::kF32, {int64_t{1} << 60}, {1}).ok());
}

TEST(TensorTest, DecodesSixteenBitTypes) {
  Tensor half = *Tensor::Own<uint16_t>(DType::kF16, {2}, {FloatToF16(0.5f), FloatToF16(-2)});
  float out[2];
  ASSERT_TRUE(DecodeToFloat(half, 0, 2, out).ok());
  EXPECT_EQ(out[0], 0.5f);
  EXPECT_EQ(out[1], -2.0f);
  EXPECT_EQ(DecodeToFloat(half, 1, 2, out).code(), absl::StatusCode::kOutOfRange);
}

// What fills vectors and what does not, from any place on.
TEST(TensorTest, EveryHalfDecodesAsOneByOne) {
  std::vector<uint16_t> halves(65536);
  std::iota(halves.begin(), halves.end(), uint16_t{0});
  const Tensor tensor = *Tensor::Own(DType::kF16, {65536}, halves);
  for (const auto& [first, count] : {std::pair{0, 65536}, {3, 5}, {31741, 1}, {1023, 17}, {65529, 7}, {9, 0}}) {
    std::vector<float> out(count);
    ASSERT_TRUE(DecodeToFloat(tensor, first, count, out.data()).ok());
    for (int i = 0; i < count; ++i) {
      const float expected = F16ToFloat(halves[first + i]);
      if (std::isnan(expected)) {
        EXPECT_TRUE(std::isnan(out[i])) << first + i;
      } else {
        EXPECT_EQ(std::bit_cast<uint32_t>(out[i]), std::bit_cast<uint32_t>(expected)) << first + i;
      }
    }
  }
}

TEST(TensorTest, IntegersAreNotFloats) {
  Tensor ints = *Tensor::Own<int32_t>(DType::kI32, {1}, {7});
  float out;
  EXPECT_EQ(DecodeToFloat(ints, 0, 1, &out).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
