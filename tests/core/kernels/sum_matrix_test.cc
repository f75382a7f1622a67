#include "core/kernels/sum_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/kernels/reference.h"
#include "core/kernels/row_product.h"
#include "core/tensor/float16.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

struct Sum {
  SumMatrix matrix;
  std::vector<float> values;
};

// Codes of 4 bits whose value is their number / 16, columns 0, 5 and the last, and one entry in twenty, none in row 1.
Sum MakeSum(int64_t outputs, int64_t inputs) {
  std::mt19937 random(1);
  std::vector<uint8_t> codes(outputs * inputs);
  for (uint8_t& code : codes) code = random() % 16;
  auto base = LowBitMatrix::Pack(
      {outputs, inputs, 4, inputs, false}, RowActivations::kFloat32, 1,
      [&](int64_t row, std::span<uint8_t> row_codes, std::span<uint16_t> scales, std::span<uint8_t>) {
        std::copy_n(codes.begin() + row * inputs, inputs, row_codes.begin());
        scales[0] = FloatToF16(0.0625f);
      });
  EXPECT_TRUE(base.ok()) << base.status();
  std::vector<float> values;
  for (const uint8_t code : codes) values.push_back(0.0625f * static_cast<float>(code - 8));
  const std::vector<int64_t> columns = {0, 5, inputs - 1};
  std::vector<uint16_t> column_values;
  SparseRows sparse{outputs, inputs, {0}};
  const auto half = [&] { return FloatToF16(static_cast<float>(random() % 1000) / 500 - 1); };
  for (int64_t o = 0; o < outputs; ++o) {
    for (const int64_t k : columns) {
      column_values.push_back(half());
      values[o * inputs + k] += F16ToFloat(column_values.back());
    }
    for (int64_t k = 0; k < inputs; ++k) {
      if (o == 1 || random() % 20 != 0) continue;
      sparse.columns.push_back(static_cast<uint16_t>(k));
      sparse.values.push_back(half());
      values[o * inputs + k] += F16ToFloat(sparse.values.back());
    }
    sparse.starts.push_back(static_cast<uint32_t>(sparse.columns.size()));
  }
  std::vector<std::unique_ptr<RowTerm>> terms;
  terms.push_back(*MakeColumnTerm(outputs, inputs, columns, column_values));
  terms.push_back(*MakeSparseTerm(std::move(sparse)));
  auto matrix = SumMatrix::Create(*std::move(base), std::move(terms));
  EXPECT_TRUE(matrix.ok()) << matrix.status();
  return {*std::move(matrix), std::move(values)};
}

TEST(SumMatrixTest, ProductsAreThoseOfTheSum) {
  for (const auto& [outputs, inputs] :
       std::vector<std::pair<int64_t, int64_t>>{{1, 7}, {16, 64}, {37, 77}, {50, 576}}) {
    const Sum sum = MakeSum(outputs, inputs);
    const std::vector<float> x = RandomFloats(inputs, 2), bias = RandomFloats(outputs, 3);
    const std::vector<double> expected = reference::MatMul(x, sum.values, bias, 1, outputs, inputs);
    std::vector<float> y[2];
    for (const int threads : {1, 3}) {
      std::vector<float>& one = y[threads / 3];
      one.assign(outputs, 2.0f);
      const RowProduct product[] = {{&sum.matrix, {x.data(), inputs, 1, bias.data(), true, one.data(), outputs}}};
      ASSERT_TRUE(MultiplyRows(threads, product).ok());
      for (int64_t o = 0; o < outputs; ++o) {
        ASSERT_NEAR(one[o], expected[o] + 2, 2e-6 * static_cast<double>(inputs) + 1e-5) << inputs;
      }
    }
    EXPECT_EQ(y[0], y[1]);
  }
}

TEST(SumMatrixTest, DecodesToTheSum) {
  const Sum sum = MakeSum(37, 77);
  const auto decoded = sum.matrix.Decode(Precision::kF32, 2);
  const auto packed = PackedMatrix::Pack(sum.values, 37, 77, Precision::kF32);
  ASSERT_TRUE(decoded.ok() && packed.ok());
  const std::vector<float> x = RandomFloats(3 * 77, 4);
  std::vector<float> a(3 * 37), b(3 * 37);
  ASSERT_TRUE(decoded->Multiply(x.data(), 77, 3, nullptr, false, a.data(), 37).ok());
  ASSERT_TRUE(packed->Multiply(x.data(), 77, 3, nullptr, false, b.data(), 37).ok());
  EXPECT_EQ(a, b);
}

TEST(SumMatrixTest, RefusesWhatDoesNotFit) {
  const std::vector<uint16_t> values(8);
  EXPECT_FALSE(MakeColumnTerm(4, 8, std::vector<int64_t>{0, 8}, values).ok());
  EXPECT_FALSE(MakeColumnTerm(3, 8, std::vector<int64_t>{0, 1}, values).ok());
  EXPECT_FALSE(MakeColumnTerm(4, 8, {}, {}).ok());
  EXPECT_FALSE(MakeSparseTerm({2, 8, {0, 1}, {3}, {0}}).ok());
  EXPECT_FALSE(MakeSparseTerm({2, 8, {0, 2, 1}, {3}, {0}}).ok());
  EXPECT_FALSE(MakeSparseTerm({2, 8, {0, 1, 1}, {8}, {0}}).ok());
  EXPECT_FALSE(MakeSparseTerm({2, int64_t{1} << 17, {0, 0, 0}, {}, {}}).ok());
  auto base = LowBitMatrix::Pack({4, 8, 4, 8, false}, RowActivations::kFloat32, 1,
                                 [](int64_t, std::span<uint8_t>, std::span<uint16_t>, std::span<uint8_t>) {});
  std::vector<std::unique_ptr<RowTerm>> terms;
  terms.push_back(*MakeColumnTerm(8, 8, std::vector<int64_t>{0}, values));
  EXPECT_EQ(SumMatrix::Create(*std::move(base), std::move(terms)).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
