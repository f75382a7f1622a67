#include "core/exports/difference.h"

#include <limits>

#include "core/encoding/dense_tensor.h"
#include "core/exports/dense_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

EncodedTensorPtr Floats(Shape shape, std::vector<float> values) {
  return *DenseTensor::FromFloats(std::move(shape), std::move(values));
}

TEST(DifferenceTallyTest, CountsEqualAndRoundedTensors) {
  DifferenceTally tally;
  ASSERT_TRUE(tally.Compare("same", *Floats({2}, {1, 2}), *Floats({2}, {1, 2}), nullptr).ok());
  ASSERT_TRUE(tally.Compare("near", *Floats({2}, {1, 2}), *Floats({2}, {1, 2.0005f}), F16Tolerance).ok());
  EXPECT_NEAR(tally.largest(), 0.0005, 1e-6);
  EXPECT_THAT(tally.Text(), HasSubstr("1 tensors equal"));
  EXPECT_THAT(tally.Text(), HasSubstr("1 differ by rounding, at most 0.0005 (near)"));
}

TEST(DifferenceTallyTest, NamesTheFirstWrongElement) {
  DifferenceTally tally;
  const absl::Status status =
      tally.Compare("w", *Floats({2, 2}, {1, 2, 3, 4}), *Floats({2, 2}, {1, 2, 3, 5}), F16Tolerance);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(status.message(), HasSubstr("\"w\" reads back differently: element [1, 1] is 5 instead of 4"));
  EXPECT_THAT(tally.Compare("w", *Floats({2}, {1, 2}), *Floats({1, 2}, {1, 2}), nullptr).message(),
              HasSubstr("shape [1, 2] instead of [2]"));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(tally.Compare("w", *Floats({1}, {1}), *Floats({1}, {nan}), BF16Tolerance).ok());
}

TEST(DenseValuesTest, FitSaysWhichTypesAreExact) {
  EXPECT_TRUE(FitOf(*Floats({2}, {1.5f, -0.25f})).exact_bf16);
  EXPECT_TRUE(FitOf(*Floats({2}, {1.0009765625f, 2})).exact_f16);
  EXPECT_FALSE(FitOf(*Floats({2}, {1.0009765625f, 2})).exact_bf16);
  const DenseFit large = FitOf(*Floats({1}, {65536}));
  EXPECT_TRUE(large.exact_bf16);
  EXPECT_FALSE(large.finite_f16);
}

TEST(DenseValuesTest, ValuesThatOverflowAreNamed) {
  const auto drop = [](std::span<const std::byte>) { return absl::OkStatus(); };
  const absl::Status status = RoundTo(DType::kF16, "w", *Floats({2}, {1, 70000}), drop);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(status.message(), HasSubstr("\"w\" has the value 70000"));
  EXPECT_TRUE(RoundTo(DType::kBF16, "w", *Floats({2}, {1, 70000}), drop).ok());
}

}  // namespace
}  // namespace tersor
