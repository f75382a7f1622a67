#include "core/kernels/int8_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

std::vector<Int8Engine> Engines() {
  // Without VNNI the library's sums saturate: it is not used there.
  if (BestInt8Engine() == Int8Engine::kQuads) return {Int8Engine::kQuads};
  return {Int8Engine::kQuads, Int8Engine::kOneDnn};
}

struct Codes {
  std::vector<int8_t> weights;
  std::vector<float> scales;
};

Codes RandomCodes(int64_t outputs, int64_t inputs, uint32_t seed) {
  std::mt19937 random(seed);
  Codes codes;
  for (int64_t i = 0; i < outputs * inputs; ++i) codes.weights.push_back(static_cast<int8_t>(random()));
  for (int64_t i = 0; i < outputs; ++i) codes.scales.push_back(0.001f * static_cast<float>(1 + random() % 100));
  return codes;
}

// Row by row in 64-bit integers.
std::vector<float> Expected(const Codes& codes, const std::vector<float>& x, int64_t rows, int64_t outputs,
                            int64_t inputs) {
  std::vector<float> y;
  std::vector<int8_t> row(inputs);
  for (int64_t r = 0; r < rows; ++r) {
    const float scale = QuantizeInt8Row(x.data() + r * inputs, inputs, row.data());
    for (int64_t o = 0; o < outputs; ++o) {
      int64_t sum = 0;
      for (int64_t i = 0; i < inputs; ++i) sum += row[i] * codes.weights[o * inputs + i];
      y.push_back(static_cast<float>(sum) * (codes.scales[o] * scale));
    }
  }
  return y;
}

TEST(Int8MatrixTest, EveryEngineGivesTheExactSums) {
  struct Case {
    int64_t rows, outputs, inputs;
  };
  for (const Case& c :
       std::vector<Case>{{1, 1, 1}, {3, 17, 33}, {16, 64, 64}, {37, 65, 129}, {200, 192, 576}, {9, 20, 1601}}) {
    const Codes codes = RandomCodes(c.outputs, c.inputs, 1);
    const std::vector<float> x = RandomFloats(c.rows * c.inputs, 2);
    const std::vector<float> expected = Expected(codes, x, c.rows, c.outputs, c.inputs);
    for (const Int8Engine engine : Engines()) {
      const auto matrix = Int8Matrix::Pack(codes.weights, codes.scales, c.outputs, c.inputs, engine);
      ASSERT_TRUE(matrix.ok()) << matrix.status();
      std::vector<float> y(c.rows * c.outputs);
      ASSERT_TRUE(matrix->Multiply(x.data(), c.inputs, c.rows, nullptr, false, y.data(), c.outputs).ok());
      EXPECT_EQ(y, expected) << c.rows << " x " << c.outputs << " x " << c.inputs;
    }
  }
}

// Operands at the ends of their ranges: pairs of products over 2^15, as AVX2's 8-bit instruction saturates at.
TEST(Int8MatrixTest, FullRangeOperandsAreExact) {
  constexpr int64_t kOutputs = 32, kInputs = 1536, kRows = 20;
  for (const int weight : {127, -128}) {
    for (const float activation : {1.0f, -1.0f}) {
      Codes codes{std::vector<int8_t>(kOutputs * kInputs, static_cast<int8_t>(weight)),
                  std::vector<float>(kOutputs, 1.0f)};
      const std::vector<float> x(kRows * kInputs, 127.0f * activation);
      const float expected = static_cast<float>(weight) * 127.0f * activation * kInputs;
      for (const Int8Engine engine : Engines()) {
        const auto matrix = Int8Matrix::Pack(codes.weights, codes.scales, kOutputs, kInputs, engine);
        ASSERT_TRUE(matrix.ok()) << matrix.status();
        std::vector<float> y(kRows * kOutputs);
        ASSERT_TRUE(matrix->Multiply(x.data(), kInputs, kRows, nullptr, false, y.data(), kOutputs).ok());
        EXPECT_EQ(y, std::vector<float>(y.size(), expected));
      }
    }
  }
}

TEST(Int8MatrixTest, ARowsBitsDependOnTheRowAlone) {
  constexpr int64_t kOutputs = 70, kInputs = 96, kRows = 150;
  const Codes codes = RandomCodes(kOutputs, kInputs, 3);
  const std::vector<float> x = RandomFloats(kRows * kInputs, 4), bias = RandomFloats(kOutputs, 5);
  for (const Int8Engine engine : Engines()) {
    const auto matrix = Int8Matrix::Pack(codes.weights, codes.scales, kOutputs, kInputs, engine);
    ASSERT_TRUE(matrix.ok());
    std::vector<float> together(kRows * kOutputs, 1.0f), alone = together;
    ASSERT_TRUE(matrix->Multiply(x.data(), kInputs, kRows, bias.data(), true, together.data(), kOutputs).ok());
    for (int64_t row = 0; row < kRows; ++row) {
      ASSERT_TRUE(matrix
                      ->Multiply(x.data() + row * kInputs, kInputs, 1, bias.data(), true, alone.data() + row * kOutputs,
                                 kOutputs)
                      .ok());
    }
    EXPECT_EQ(together, alone);
  }
}

TEST(Int8MatrixTest, ZeroAndTinyRowsAreZero) {
  const Codes codes = RandomCodes(8, 16, 6);
  const auto matrix = Int8Matrix::Pack(codes.weights, codes.scales, 8, 16);
  ASSERT_TRUE(matrix.ok());
  for (const float value : {0.0f, 1e-40f}) {
    const std::vector<float> x(16, value);
    std::vector<float> y(8, 5.0f);
    ASSERT_TRUE(matrix->Multiply(x.data(), 16, 1, nullptr, false, y.data(), 8).ok());
    EXPECT_EQ(y, std::vector<float>(8, 0.0f));
  }
}

TEST(Int8MatrixTest, RefusesSizesThatDoNotFit) {
  const std::vector<int8_t> codes(12);
  const std::vector<float> scales(3);
  EXPECT_EQ(Int8Matrix::Pack(codes, scales, 4, 3).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Int8Matrix::Pack(codes, scales, 0, 3).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(Int8Matrix().Multiply(nullptr, 0, 1, nullptr, false, nullptr, 0).ok());
}

}  // namespace
}  // namespace tersor
