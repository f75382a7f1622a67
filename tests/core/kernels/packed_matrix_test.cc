#include "core/kernels/packed_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/kernels/cpu_info.h"
#include "core/kernels/parallel.h"
#include "core/kernels/reference.h"
#include "core/tensor/float16.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

struct Size {
  int64_t outputs;
  int64_t inputs;
};

void PrintTo(const Size& size, std::ostream* out) { *out << size.outputs << "x" << size.inputs; }

class PackedMatrixTest : public testing::TestWithParam<Size> {};

TEST_P(PackedMatrixTest, MatchesTheReference) {
  const auto [outputs, inputs] = GetParam();
  const std::vector<float> weights = RandomFloats(outputs * inputs, 1), bias = RandomFloats(outputs, 2);
  for (const Precision precision : {Precision::kF32, Precision::kBF16, Precision::kTwoTerms, Precision::kThreeTerms}) {
    auto packed = PackedMatrix::Pack(weights, outputs, inputs, precision);
    if (precision != Precision::kF32 && !GetCpuInfo().bf16) {
      EXPECT_EQ(packed.status().code(), absl::StatusCode::kUnimplemented);
      continue;
    }
    ASSERT_TRUE(packed.ok()) << packed.status();
    const double tolerance = (precision == Precision::kBF16       ? 2e-2
                              : precision == Precision::kTwoTerms ? 5e-5
                                                                  : 1e-5) *
                             std::sqrt(static_cast<double>(inputs));
    for (const int64_t rows : {1, 2, 15, 16, 19, 70}) {
      const std::vector<float> x = RandomFloats(rows * inputs, 3);
      const std::vector<double> expected = reference::MatMul(x, weights, bias, rows, outputs, inputs);
      // Output rows lie further apart than they are long; what is between them must not change.
      const int64_t stride = outputs + 5;
      std::vector<float> y(rows * stride, 7.0f);
      ASSERT_TRUE(packed->Multiply(x.data(), inputs, rows, bias.data(), false, y.data(), stride).ok());
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t i = 0; i < outputs; ++i) {
          ASSERT_NEAR(y[row * stride + i], expected[row * outputs + i], tolerance) << rows << " rows, row " << row;
        }
        for (int64_t i = outputs; i < stride; ++i) ASSERT_EQ(y[row * stride + i], 7.0f);
      }
      ASSERT_TRUE(packed->Multiply(x.data(), inputs, rows, bias.data(), true, y.data(), stride).ok());
      ASSERT_NEAR(y[0], 2 * expected[0], 2 * tolerance);
      ASSERT_NEAR(y[(rows - 1) * stride + outputs - 1], 2 * expected[rows * outputs - 1], 2 * tolerance);
    }
  }
}

TEST_P(PackedMatrixTest, TransposedMatchesTheReference) {
  const auto [rows, columns] = GetParam();
  const std::vector<float> weights = RandomFloats(rows * columns, 1);
  std::vector<float> transposed(weights.size());
  for (int64_t i = 0; i < rows * columns; ++i) transposed[i % columns * rows + i / columns] = weights[i];
  for (const Precision precision : {Precision::kF32, Precision::kThreeTerms}) {
    if (precision != Precision::kF32 && !GetCpuInfo().bf16) continue;
    const auto packed = PackedMatrix::PackTransposed(weights, rows, columns, precision);
    ASSERT_TRUE(packed.ok()) << packed.status();
    ASSERT_EQ(packed->outputs(), columns);
    for (const int64_t count : {1, 16, 19}) {
      const std::vector<float> x = RandomFloats(count * rows, 3);
      const std::vector<double> expected = reference::MatMul(x, transposed, {}, count, columns, rows);
      std::vector<float> y(count * columns);
      ASSERT_TRUE(packed->Multiply(x.data(), rows, count, nullptr, false, y.data(), columns).ok());
      const double tolerance = 1e-5 * std::sqrt(static_cast<double>(rows));
      for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], tolerance) << count << " rows";
    }
  }
  EXPECT_EQ(PackedMatrix::PackTransposed(weights, rows + 1, columns, Precision::kF32).status().code(),
            absl::StatusCode::kInvalidArgument);
}

// The promise evaluation rests on; it must hold on whatever CPU runs this.
TEST_P(PackedMatrixTest, RowsDoNotDependOnTheirNumberPlaceOrThreads) {
  const auto [outputs, inputs] = GetParam();
  constexpr int64_t kRows = 600;
  const std::vector<float> weights = RandomFloats(outputs * inputs, 1), x = RandomFloats(kRows * inputs, 3);
  for (const Precision precision : {Precision::kF32, Precision::kBF16, Precision::kTwoTerms, Precision::kThreeTerms}) {
    if (precision != Precision::kF32 && !GetCpuInfo().bf16) continue;
    auto packed = PackedMatrix::Pack(weights, outputs, inputs, precision);
    ASSERT_TRUE(packed.ok()) << packed.status();
    std::vector<float> whole(kRows * outputs);
    ASSERT_TRUE(packed->Multiply(x.data(), inputs, kRows, nullptr, false, whole.data(), outputs).ok());
    struct Part {
      int64_t first, rows;
    };
    const Part parts[] = {{0, 1},   {599, 1},  {3, 2},     {5, 3},    {100, 13}, {1, 16},  {60, 17},
                          {7, 31},  {250, 32}, {31, 63},   {129, 64}, {2, 65},   {9, 127}, {300, 128},
                          {1, 129}, {88, 255}, {123, 256}, {0, 511},  {77, 512}, {1, 599}};
    for (const auto& [first, rows] : parts) {
      std::vector<float> y(rows * outputs);
      ASSERT_TRUE(packed->Multiply(x.data() + first * inputs, inputs, rows, nullptr, false, y.data(), outputs).ok());
      ASSERT_EQ(std::memcmp(y.data(), whole.data() + first * outputs, y.size() * sizeof(float)), 0)
          << rows << " rows from " << first;
    }
    const std::vector<float> bias = RandomFloats(outputs, 4), before = RandomFloats(kRows * outputs, 5);
    std::vector<float> sums = before;
    ASSERT_TRUE(packed->Multiply(x.data(), inputs, kRows, bias.data(), true, sums.data(), outputs).ok());
    for (const auto& [first, rows] : parts) {
      std::vector<float> y(before.begin() + first * outputs, before.begin() + (first + rows) * outputs);
      ASSERT_TRUE(packed->Multiply(x.data() + first * inputs, inputs, rows, bias.data(), true, y.data(), outputs).ok());
      ASSERT_EQ(std::memcmp(y.data(), sums.data() + first * outputs, y.size() * sizeof(float)), 0)
          << rows << " rows from " << first << ", added to others";
    }
    std::vector<float> threaded(kRows * outputs);
    ASSERT_TRUE(ParallelFor(2, 6, [&](int64_t i) {
                  return packed->Multiply(x.data() + i * 100 * inputs, inputs, 100, nullptr, false,
                                          threaded.data() + i * 100 * outputs, outputs);
                }).ok());
    EXPECT_EQ(threaded, whole);
  }
}

// Relative error of a product in the norm, against sums in double.
double RelativeError(std::span<const float> weights, std::span<const float> x, int64_t outputs, int64_t inputs,
                     Precision precision) {
  const int64_t rows = static_cast<int64_t>(x.size()) / inputs;
  auto packed = PackedMatrix::Pack(weights, outputs, inputs, precision);
  EXPECT_TRUE(packed.ok()) << packed.status();
  std::vector<float> y(rows * outputs);
  EXPECT_TRUE(packed->Multiply(x.data(), inputs, rows, nullptr, false, y.data(), outputs).ok());
  const std::vector<double> expected = reference::MatMul(x, weights, {}, rows, outputs, inputs);
  double error = 0, norm = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    error += (y[i] - expected[i]) * (y[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return std::sqrt(error / norm);
}

// Weights that need all three terms, two (F16 numbers) and one (bf16 numbers): each has its own set of products.
TEST_P(PackedMatrixTest, TermsAreAsExactAsFloats) {
  if (!GetCpuInfo().bf16) GTEST_SKIP() << "no bf16 products on this machine";
  const auto [outputs, inputs] = GetParam();
  std::vector<float> x = RandomFloats(64 * inputs, 3);
  // Outliers, as activations have them.
  for (size_t i = 0; i < x.size(); i += 97) x[i] *= 1000;
  const std::vector<float> full = RandomFloats(outputs * inputs, 1);
  std::vector<float> half = full, brain = full;
  for (float& value : half) value = F16ToFloat(FloatToF16(value));
  for (float& value : brain) value = BF16ToFloat(FloatToBF16(value));
  for (const std::vector<float>& weights : {full, half, brain}) {
    const double floats = RelativeError(weights, x, outputs, inputs, Precision::kF32);
    const double terms = RelativeError(weights, x, outputs, inputs, Precision::kThreeTerms);
    EXPECT_LE(terms, 1.5 * floats + 6e-8) << floats;
    EXPECT_LE(RelativeError(weights, x, outputs, inputs, Precision::kTwoTerms), 1.0 / (1 << 17)) << floats;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, PackedMatrixTest,
                         testing::Values(Size{192, 576}, Size{576, 576}, Size{1536, 576}, Size{576, 1536}, Size{1, 1},
                                         Size{3, 7}, Size{65, 33}, Size{160, 64}, Size{512, 577}, Size{129, 2049},
                                         Size{72, 120}, Size{72, 100}, Size{40, 72}, Size{120, 72}, Size{100, 72}));

TEST(PackedMatrixErrorTest, SizesThatDoNotFit) {
  const absl::Status status = PackedMatrix::Pack(std::vector<float>(10), 3, 4, Precision::kF32).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), testing::HasSubstr("10 weights as a matrix of 3 x 4"));
  EXPECT_FALSE(PackedMatrix::Pack({}, 0, 4, Precision::kF32).ok());
  EXPECT_FALSE(PackedMatrix().Multiply(nullptr, 0, 1, nullptr, false, nullptr, 0).ok());
}

}  // namespace
}  // namespace tersor
