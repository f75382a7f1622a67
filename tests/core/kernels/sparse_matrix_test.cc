#include "core/kernels/sparse_matrix.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

#include "core/kernels/reference.h"
#include "core/kernels/row_product.h"
#include "core/tensor/float16.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

struct Example {
  SparseShape shape;
  std::vector<float> values;
  std::vector<uint8_t> kept, codes;
  std::vector<float> scales, zero_points;

  Example(const SparseShape& s, double density) : shape(s), values(RandomFloats(s.outputs * s.inputs, 1)) {
    std::mt19937 random(7);
    const int64_t groups = s.values == SparseValues::kCodes ? s.inputs / s.group_size : 0;
    for (int64_t i = 0; i < s.outputs * groups; ++i) {
      scales.push_back(0.01f * static_cast<float>(1 + random() % 50));
      zero_points.push_back(static_cast<float>(random() % 16));
    }
    for (size_t i = 0; i < values.size(); ++i) {
      kept.push_back(static_cast<double>(random() % 1000) < 1000 * density);
      codes.push_back(random() % 256);
      if (s.values == SparseValues::kF16) values[i] = F16ToFloat(FloatToF16(values[i]));
      if (s.values == SparseValues::kBF16) values[i] = BF16ToFloat(FloatToBF16(values[i]));
      if (groups > 0) {
        const int64_t row = static_cast<int64_t>(i) / s.inputs, column = static_cast<int64_t>(i) % s.inputs;
        const int64_t grid = row * groups + column / s.group_size;
        values[i] = (static_cast<float>(codes[i]) - zero_points[grid]) * scales[grid];
      }
      if (kept[i] == 0) values[i] = 0;
    }
  }
  absl::StatusOr<SparseMatrix> Pack() const {
    return SparseMatrix::Pack(shape, 2, [&](int64_t output, SparseRow& row) {
      for (int64_t i = 0; i < shape.inputs; ++i) {
        const int64_t at = output * shape.inputs + i;
        row.kept[i] = kept[at];
        if (kept[at] == 0) continue;
        if (shape.values == SparseValues::kCodes) {
          row.codes.push_back(codes[at]);
        } else {
          row.values.push_back(values[at]);
        }
      }
      const int64_t groups = static_cast<int64_t>(row.scales.size());
      std::copy_n(scales.begin() + output * groups, groups, row.scales.begin());
      std::copy_n(zero_points.begin() + output * groups, groups, row.zero_points.begin());
    });
  }
};

TEST(SparseMatrixTest, MatchesTheReferenceAndDecodesToTheValues) {
  for (const SparseValues kind : {SparseValues::kF32, SparseValues::kF16, SparseValues::kBF16, SparseValues::kCodes}) {
    for (const auto& [outputs, inputs, group] : std::vector<std::array<int64_t, 3>>{
             {33, 96, 32}, {16, 192, 64}, {1, 7, 7}, {50, 77, 77}, {5, 16, 16}, {70, 528, 48}}) {
      for (const double density : {0.0, 0.1, 0.5, 1.0}) {
        const Example example({outputs, inputs, kind, group}, density);
        const absl::StatusOr<SparseMatrix> matrix = example.Pack();
        ASSERT_TRUE(matrix.ok()) << matrix.status();
        const int64_t rows = 3;
        const std::vector<float> x = RandomFloats(rows * inputs, 2), bias = RandomFloats(outputs, 3);
        const std::vector<double> expected = reference::MatMul(x, example.values, bias, rows, outputs, inputs);
        double largest = 1;
        for (const float value : example.values) largest = std::max<double>(largest, std::abs(value));
        for (const int threads : {1, 3}) {
          std::vector<float> y(rows * outputs, 1.0f);
          const RowProduct product[] = {{&*matrix, {x.data(), inputs, rows, bias.data(), true, y.data(), outputs}}};
          ASSERT_TRUE(MultiplyRows(threads, product).ok());
          for (int64_t i = 0; i < rows * outputs; ++i) {
            ASSERT_NEAR(y[i], expected[i] + 1, 3e-6 * largest * static_cast<double>(inputs))
                << inputs << " " << density;
          }
        }
        const auto packed = PackedMatrix::Pack(example.values, outputs, inputs, Precision::kF32);
        const auto decoded = matrix->Decode(Precision::kF32, 1);
        ASSERT_TRUE(packed.ok() && decoded.ok());
        std::vector<float> a(outputs), b(outputs);
        ASSERT_TRUE(packed->MultiplyPanels(0, packed->panels(), x.data(), nullptr, false, a.data()).ok());
        ASSERT_TRUE(decoded->MultiplyPanels(0, decoded->panels(), x.data(), nullptr, false, b.data()).ok());
        EXPECT_EQ(a, b);
      }
    }
  }
}

TEST(SparseMatrixTest, RefusesGroupsThatItsVectorsDoNotFit) {
  EXPECT_FALSE(SparseMatrix::Supports({4, 48, SparseValues::kCodes, 24}));
  EXPECT_FALSE(SparseMatrix::Supports({4, 48, SparseValues::kCodes, 32}));
  EXPECT_FALSE(SparseMatrix::Supports({0, 48, SparseValues::kF32, 0}));
  EXPECT_TRUE(SparseMatrix::Supports({4, 24, SparseValues::kCodes, 24}));
  EXPECT_FALSE(SparseMatrix::Pack({4, 48, SparseValues::kCodes, 24}, 1, [](int64_t, SparseRow&) {}).ok());
}

}  // namespace
}  // namespace tersor
