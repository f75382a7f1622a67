#include "core/kernels/int8_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "absl/strings/str_cat.h"
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

absl::StatusOr<Int8Matrix> PackTokens(const Codes& codes, int64_t outputs, int64_t inputs, Int8Engine engine) {
  return Int8Matrix::Pack({outputs, inputs, inputs, codes.weights, codes.scales}, IntegerInputs::Token(inputs), engine);
}

// Row by row in 64-bit integers.
std::vector<float> Expected(const Codes& codes, const std::vector<float>& x, int64_t rows, int64_t outputs,
                            int64_t inputs) {
  std::vector<float> y;
  std::vector<int8_t> row(inputs);
  for (int64_t r = 0; r < rows; ++r) {
    float scale = 0;
    int32_t zero_point = 0, code_sum = 0;
    RoundToIntegers(IntegerInputs::Token(inputs), inputs, x.data() + r * inputs, nullptr,
                    {row.data(), 0, &scale, &zero_point, &code_sum});
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
      const auto matrix = PackTokens(codes, c.outputs, c.inputs, engine);
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
        const auto matrix = PackTokens(codes, kOutputs, kInputs, engine);
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
    const auto matrix = PackTokens(codes, kOutputs, kInputs, engine);
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
  const auto matrix = PackTokens(codes, 8, 16, BestInt8Engine());
  ASSERT_TRUE(matrix.ok());
  for (const float value : {0.0f, 1e-40f}) {
    const std::vector<float> x(16, value);
    std::vector<float> y(8, 5.0f);
    ASSERT_TRUE(matrix->Multiply(x.data(), 16, 1, nullptr, false, y.data(), 8).ok());
    EXPECT_EQ(y, std::vector<float>(8, 0.0f));
  }
}

// What a matrix is packed of, and the inputs that it multiplies.
struct Variant {
  std::string name;
  int64_t weight_group = 0;
  bool zero_points = false;
  IntegerInputs inputs;
};

std::vector<Variant> Variants(int64_t inputs, int64_t group) {
  const IntegerInputs token = IntegerInputs::Token(inputs);
  IntegerInputs range = token, few = token, groups = token, fixed = token, shifted = token, outliers = token,
                pairs = token, all = token;
  range.symmetric = false;
  few.bits = 5;
  few.symmetric = false;
  groups.group_size = group;
  fixed.fixed = {0.02f, 100};
  shifted.shifts = RandomFloats(inputs, 8);
  outliers.outlier_threshold = 1.2f;
  pairs.bits = 4;
  pairs.fixed = {0.1f, 0};
  pairs.pairs = PairGrid{};
  all = {.inputs = inputs, .bits = 7, .symmetric = false, .group_size = group, .outlier_threshold = 1.0f};
  all.shifts = shifted.shifts;
  return {{"range", inputs, false, range},
          {"few bits", inputs, false, few},
          {"input groups", inputs, false, groups},
          {"fixed", inputs, false, fixed},
          {"shifted", inputs, false, shifted},
          {"outliers", inputs, false, outliers},
          {"pairs", inputs, false, pairs},
          {"weight groups", group, false, token},
          {"offsets", inputs, true, token},
          {"group offsets", group, true, range},
          {"all", group, true, all}};
}

// Values of W x in double, of inputs rounded one by one.
std::vector<double> Products(const Int8Weights& weights, const IntegerInputs& inputs, const std::vector<float>& x) {
  const int64_t rows = static_cast<int64_t>(x.size()) / weights.inputs, groups = weights.inputs / weights.group_size;
  std::vector<float> rounded(weights.inputs);
  std::vector<double> y;
  for (int64_t r = 0; r < rows; ++r) {
    RoundByIntegers(inputs, x.data() + r * weights.inputs, rounded.data());
    for (int64_t o = 0; o < weights.outputs; ++o) {
      double sum = 0;
      for (int64_t i = 0; i < weights.inputs; ++i) {
        const int64_t group = o * groups + i / weights.group_size;
        const int zero_point = weights.zero_points.empty() ? 0 : weights.zero_points[group];
        sum += static_cast<double>(weights.codes[o * weights.inputs + i] - zero_point) * weights.scales[group] *
               rounded[i];
      }
      y.push_back(sum);
    }
  }
  return y;
}

void ExpectVariant(const Variant& variant, int64_t rows, int64_t outputs, int64_t inputs) {
  SCOPED_TRACE(absl::StrCat(variant.name, " ", rows, " x ", outputs, " x ", inputs, " in ", variant.weight_group));
  const int64_t groups = inputs / variant.weight_group;
  const Codes codes = RandomCodes(outputs, inputs, 11);
  const std::vector<float> scales = RandomFloats(outputs * groups, 12), bias = RandomFloats(outputs, 13);
  const std::vector<float> x = RandomFloats(rows * inputs, 14);
  const Codes zeros = RandomCodes(outputs, groups, 15);
  Int8Weights weights{outputs, inputs, variant.weight_group, codes.weights, scales};
  if (variant.zero_points) weights.zero_points = zeros.weights;
  const std::vector<double> expected = Products(weights, variant.inputs, x);
  std::vector<float> first;
  for (const Int8Engine engine : Engines()) {
    const auto matrix = Int8Matrix::Pack(weights, variant.inputs, engine);
    ASSERT_TRUE(matrix.ok()) << matrix.status();
    std::vector<float> y(rows * outputs, 0.5f), alone = y;
    ASSERT_TRUE(matrix->Multiply(x.data(), inputs, rows, bias.data(), true, y.data(), outputs).ok());
    for (size_t i = 0; i < y.size(); ++i) {
      // Of sums of this many products of codes to 255 and scales to 3.
      ASSERT_NEAR(y[i], 0.5 + bias[i % outputs] + expected[i], 1e-4 * static_cast<double>(inputs)) << i;
    }
    // Alone, and panel by panel, a row has the same bits.
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t panel = 0; panel < matrix->panels(); ++panel) {
        ASSERT_TRUE(matrix
                        ->MultiplyPanelRows(panel, 1,
                                            {x.data() + row * inputs, inputs, 1, bias.data(), true,
                                             alone.data() + row * outputs, outputs})
                        .ok());
      }
    }
    EXPECT_EQ(alone, y);
    if (first.empty()) first = y;
    EXPECT_EQ(y, first);
  }
}

TEST(Int8MatrixTest, AnyIntegersAreMultipliedLikeTheValuesTheyStandFor) {
  struct Case {
    int64_t rows, outputs, inputs, group;
  };
  for (const Case& c : std::vector<Case>{{1, 3, 8, 4}, {5, 17, 60, 12}, {37, 40, 192, 64}, {130, 33, 144, 48}}) {
    for (const Variant& variant : Variants(c.inputs, c.group)) ExpectVariant(variant, c.rows, c.outputs, c.inputs);
  }
}

// A column of outliers only: nothing is left to round.
TEST(Int8MatrixTest, RowsOfNothingButOutliersAreFloatProducts) {
  IntegerInputs inputs = IntegerInputs::Token(32);
  inputs.outlier_threshold = 1e-3f;
  ExpectVariant({"outliers", 32, false, inputs}, 20, 20, 32);
}

TEST(Int8MatrixTest, RefusesSizesThatDoNotFit) {
  const std::vector<int8_t> codes(12);
  const std::vector<float> scales(3);
  const auto refuses = [](const Int8Weights& weights, const IntegerInputs& inputs) {
    return Int8Matrix::Pack(weights, inputs).status().code() == absl::StatusCode::kInvalidArgument;
  };
  EXPECT_FALSE(refuses({3, 4, 4, codes, scales}, IntegerInputs::Token(4)));
  EXPECT_TRUE(refuses({4, 3, 3, codes, scales}, IntegerInputs::Token(3)));
  EXPECT_TRUE(refuses({0, 3, 3, codes, scales}, IntegerInputs::Token(3)));
  EXPECT_TRUE(refuses({3, 4, 4, codes, scales}, IntegerInputs::Token(8)));
  EXPECT_TRUE(refuses({3, 4, 2, codes, std::vector<float>(6)}, IntegerInputs::Token(4))) << "groups of two";
  EXPECT_TRUE(refuses({3, 4, 3, codes, scales}, IntegerInputs::Token(4))) << "groups that do not divide";
  IntegerInputs shifted = IntegerInputs::Token(4);
  shifted.shifts = {1};
  EXPECT_TRUE(refuses({3, 4, 4, codes, scales}, shifted));
  EXPECT_FALSE(Int8Matrix().Multiply(nullptr, 0, 1, nullptr, false, nullptr, 0).ok());
}

}  // namespace
}  // namespace tersor
