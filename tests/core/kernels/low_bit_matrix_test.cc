#include "core/kernels/low_bit_matrix.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>

#include "core/kernels/low_bit_product.h"
#include "core/kernels/reference.h"
#include "core/kernels/row_product.h"
#include "core/tensor/float16.h"
#include "core/tensor/float8.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

// OCP MX FP4.
const std::vector<float> kFp4 = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, -0.0f, -0.5f, -1, -1.5f, -2, -3, -4, -6};

// A random matrix on the layout's grid, and its values.
struct Grid {
  LowBitLayout layout;
  std::vector<uint8_t> codes, zero_points;
  std::vector<uint16_t> scales;
  std::vector<float> values;

  Grid(const LowBitLayout& layout, uint32_t seed) : layout(layout) {
    std::mt19937 random(seed);
    const int64_t groups = layout.inputs / layout.group_size;
    const int top = (1 << layout.bits) - 1;
    for (int64_t i = 0; i < layout.outputs * layout.inputs; ++i) codes.push_back(random() % (top + 1));
    for (int64_t i = 0; i < layout.outputs * groups; ++i) {
      zero_points.push_back(layout.zero_points ? random() % (top + 1) : 1 << (layout.bits - 1));
      scales.push_back(FloatToF16(static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 500000));
    }
    for (int64_t i = 0; i < layout.outputs * layout.inputs; ++i) {
      const int64_t group = i / layout.inputs * groups + i % layout.inputs / layout.group_size;
      values.push_back((static_cast<float>(codes[i]) - zero_points[group]) * F16ToFloat(scales[group]));
    }
  }

  LowBitMatrix Pack(RowActivations activations, int threads) const {
    const int64_t groups = layout.inputs / layout.group_size;
    auto matrix =
        LowBitMatrix::Pack(layout, activations, threads,
                           [&](int64_t row, std::span<uint8_t> row_codes, std::span<uint16_t> row_scales,
                               std::span<uint8_t> row_zero_points) {
                             std::copy_n(codes.begin() + row * layout.inputs, layout.inputs, row_codes.begin());
                             std::copy_n(scales.begin() + row * groups, groups, row_scales.begin());
                             if (row_zero_points.empty()) return;
                             std::copy_n(zero_points.begin() + row * groups, groups, row_zero_points.begin());
                           });
    EXPECT_TRUE(matrix.ok()) << matrix.status();
    return *std::move(matrix);
  }
};

std::vector<LowBitLayout> Layouts() {
  std::vector<LowBitLayout> layouts;
  for (int bits = 2; bits <= 8; ++bits) {
    for (const bool zero_points : {false, true}) {
      layouts.push_back({33, 96, bits, 32, zero_points});
      layouts.push_back({16, 192, bits, 64, zero_points});
      layouts.push_back({1, 7, bits, 7, zero_points});
      layouts.push_back({50, 77, bits, 77, zero_points});
      layouts.push_back({17, 576, bits, 192, zero_points});
      layouts.push_back({35, 96, bits, 16, zero_points});
      layouts.push_back({3, 16, bits, 16, zero_points});
    }
  }
  return layouts;
}

std::string Describe(const LowBitLayout& layout) {
  return std::to_string(layout.outputs) + " x " + std::to_string(layout.inputs) + ", " + std::to_string(layout.bits) +
         " bits in groups of " + std::to_string(layout.group_size) + (layout.zero_points ? ", zero points" : "");
}

std::vector<float> Multiply(const LowBitMatrix& matrix, const std::vector<float>& x, int threads) {
  std::vector<float> y(matrix.outputs(), 100.0f);
  const RowProduct product[] = {{&matrix, {x.data(), matrix.inputs(), 1, nullptr, false, y.data(), matrix.outputs()}}};
  EXPECT_TRUE(MultiplyRows(threads, product).ok());
  return y;
}

// x as the kernel rounds it.
std::vector<float> RoundToInt8(const std::vector<float>& x) {
  std::vector<float> rounded(x.size());
  for (size_t begin = 0; begin < x.size(); begin += kLowBitBlock) {
    const size_t end = std::min(x.size(), begin + kLowBitBlock);
    float largest = 0;
    for (size_t i = begin; i < end; ++i) largest = std::max(largest, std::abs(x[i]));
    if (largest == 0) continue;
    const float inverse = 127.0f / largest;
    for (size_t i = begin; i < end; ++i) rounded[i] = std::nearbyint(x[i] * inverse) * (largest / 127.0f);
  }
  return rounded;
}

void ExpectNear(const LowBitLayout& layout, const std::vector<float>& x, const Grid& grid,
                const std::vector<float>& y) {
  const std::vector<double> expected = reference::MatMul(x, grid.values, {}, 1, layout.outputs, layout.inputs);
  for (int64_t o = 0; o < layout.outputs; ++o) {
    double magnitude = 0;
    for (int64_t i = 0; i < layout.inputs; ++i) {
      // Codes are multiplied unsigned: errors go by their range.
      magnitude += std::abs(x[i] * (1 << layout.bits) *
                            F16ToFloat(grid.scales[o * (layout.inputs / layout.group_size) + i / layout.group_size]));
    }
    ASSERT_NEAR(y[o], expected[o], 1e-6 * magnitude + 1e-9) << Describe(layout) << ", output " << o;
  }
}

TEST(LowBitMatrixTest, FloatActivationsMatchTheReference) {
  for (const LowBitLayout& layout : Layouts()) {
    const Grid grid(layout, 1);
    const LowBitMatrix matrix = grid.Pack(RowActivations::kFloat32, 2);
    const std::vector<float> x = RandomFloats(layout.inputs, 2);
    ExpectNear(layout, x, grid, Multiply(matrix, x, 1));
    EXPECT_EQ(Multiply(matrix, x, 1), Multiply(matrix, x, 3)) << Describe(layout);
  }
}

TEST(LowBitMatrixTest, Int8ActivationsMatchTheReferenceOnRoundedRows) {
  for (const LowBitLayout& layout : Layouts()) {
    const Grid grid(layout, 3);
    const LowBitMatrix matrix = grid.Pack(RowActivations::kInt8, 1);
    const std::vector<float> x = RandomFloats(layout.inputs, 4);
    ExpectNear(layout, RoundToInt8(x), grid, Multiply(matrix, x, 1));
    EXPECT_EQ(Multiply(matrix, x, 1), Multiply(matrix, x, 3)) << Describe(layout);
  }
}

// The largest codes and activations everywhere: sums in 16 bits would overflow or saturate if anything could.
TEST(LowBitMatrixTest, FullRangeOperandsAreExact) {
  for (int bits = 2; bits <= 8; ++bits) {
    for (const int sign : {1, -1}) {
      for (const int64_t group : {96, 16}) {
        const LowBitLayout layout{16, 96, bits, group, true};
        Grid grid(layout, 5);
        std::fill(grid.codes.begin(), grid.codes.end(), (1 << bits) - 1);
        std::fill(grid.zero_points.begin(), grid.zero_points.end(), 0);
        std::fill(grid.scales.begin(), grid.scales.end(), FloatToF16(1.0f));
        const std::vector<float> x(layout.inputs, sign * 127.0f);
        const float expected = static_cast<float>(sign * 127 * 96 * ((1 << bits) - 1));
        for (const RowActivations activations : {RowActivations::kInt8, RowActivations::kFloat32}) {
          EXPECT_EQ(Multiply(grid.Pack(activations, 1), x, 1), std::vector<float>(16, expected)) << bits << " bits";
        }
      }
    }
  }
}

TEST(LowBitMatrixTest, AddsBiasAndOldValues) {
  const LowBitLayout layout{33, 64, 4, 32, false};
  const Grid grid(layout, 6);
  for (const RowActivations activations : {RowActivations::kInt8, RowActivations::kFloat32}) {
    const LowBitMatrix matrix = grid.Pack(activations, 1);
    const std::vector<float> x = RandomFloats(64, 7), bias = RandomFloats(33, 8);
    const std::vector<float> plain = Multiply(matrix, x, 1);
    std::vector<float> y(33, 2.0f);
    const RowProduct product[] = {{&matrix, {x.data(), 64, 1, bias.data(), true, y.data(), 33}}};
    ASSERT_TRUE(MultiplyRows(2, product).ok());
    for (int i = 0; i < 33; ++i) EXPECT_FLOAT_EQ(y[i], plain[i] + bias[i] + 2.0f);
  }
}

TEST(LowBitMatrixTest, DecodesToTheSameBits) {
  for (const Precision precision : {Precision::kF32, Precision::kBF16}) {
    for (const LowBitLayout& layout : Layouts()) {
      const Grid grid(layout, 9);
      const auto expected = PackedMatrix::Pack(grid.values, layout.outputs, layout.inputs, precision);
      if (precision == Precision::kBF16 && absl::IsUnimplemented(expected.status())) continue;
      ASSERT_TRUE(expected.ok()) << expected.status();
      const auto decoded = grid.Pack(RowActivations::kInt8, 1).Decode(precision, 2);
      ASSERT_TRUE(decoded.ok()) << decoded.status();
      const std::vector<float> x = RandomFloats(3 * layout.inputs, 10);
      std::vector<float> y(3 * layout.outputs), same(3 * layout.outputs);
      ASSERT_TRUE(expected->Multiply(x.data(), layout.inputs, 3, nullptr, false, y.data(), layout.outputs).ok());
      ASSERT_TRUE(decoded->Multiply(x.data(), layout.inputs, 3, nullptr, false, same.data(), layout.outputs).ok());
      EXPECT_EQ(y, same) << Describe(layout);
      ASSERT_TRUE(expected->MultiplyPanels(0, expected->panels(), x.data(), nullptr, false, y.data()).ok());
      ASSERT_TRUE(decoded->MultiplyPanels(0, decoded->panels(), x.data(), nullptr, false, same.data()).ok());
      EXPECT_EQ(y, same) << Describe(layout);
    }
  }
}

// The same matrix where scales and zero points are codes.
struct LevelMatrix {
  Grid grid;
  // Of each row's groups; of each 16 rows' groups.
  std::vector<uint8_t> levels;
  std::vector<LevelGrid> grids;

  LevelMatrix(const LevelLayout& layout, uint32_t seed)
      : grid({layout.outputs, layout.inputs, layout.bits, layout.group_size, true}, seed) {
    std::mt19937 random(seed);
    const int64_t groups = layout.inputs / layout.group_size;
    grids.resize((layout.outputs + 15) / 16 * groups);
    for (LevelGrid& one : grids) {
      one = {FloatToF16(0.001f * static_cast<float>(1 + random() % 9)),
             FloatToF16(0.0005f * static_cast<float>(1 + random() % 9)), static_cast<uint8_t>(random() % 8),
             static_cast<uint8_t>(random() % 4)};
    }
    for (int64_t i = 0; i < layout.outputs * layout.inputs; ++i) {
      const int64_t row = i / layout.inputs, group = i % layout.inputs / layout.group_size;
      if (i % layout.group_size == 0) levels.push_back(static_cast<uint8_t>(random()));
      const LevelGrid& one = grids[row / 16 * groups + group];
      const auto step = [&](int code) { return static_cast<float>(code); };
      const float scale = F16ToFloat(one.least_scale) + step(levels.back() & 15) * F16ToFloat(one.scale_step);
      const float zero_point = step(one.least_zero_point + (levels.back() >> 4) * one.zero_point_step);
      grid.values[i] = (static_cast<float>(grid.codes[i]) - zero_point) * scale;
      // What errors go by.
      grid.scales[row * groups + group] = FloatToF16(32 * scale);
    }
  }

  LowBitMatrix Pack(RowActivations activations) const {
    const LowBitLayout& layout = grid.layout;
    const int64_t groups = layout.inputs / layout.group_size;
    auto matrix = LowBitMatrix::PackLevels(
        {layout.outputs, layout.inputs, layout.bits, layout.group_size}, activations, 2,
        [&](int64_t row, std::span<uint8_t> row_codes, std::span<uint8_t> row_levels) {
          std::copy_n(grid.codes.begin() + row * layout.inputs, layout.inputs, row_codes.begin());
          std::copy_n(levels.begin() + row * groups, groups, row_levels.begin());
        },
        [&](int64_t tile, std::span<LevelGrid> tile_grids) {
          std::copy_n(grids.begin() + tile * groups, groups, tile_grids.begin());
        });
    EXPECT_TRUE(matrix.ok()) << matrix.status();
    return *std::move(matrix);
  }
};

TEST(LowBitMatrixTest, CodedScalesMatchTheReference) {
  for (const LevelLayout& layout : {LevelLayout{33, 96, 3, 16}, LevelLayout{16, 192, 2, 64}, LevelLayout{50, 77, 4, 77},
                                    LevelLayout{1, 32, 8, 16}}) {
    const LevelMatrix levels(layout, 21);
    const Grid& grid = levels.grid;
    const std::vector<float> x = RandomFloats(layout.inputs, 22);
    const LowBitMatrix floats = levels.Pack(RowActivations::kFloat32), integers = levels.Pack(RowActivations::kInt8);
    ExpectNear(grid.layout, x, grid, Multiply(floats, x, 1));
    ExpectNear(grid.layout, RoundToInt8(x), grid, Multiply(integers, x, 1));
    EXPECT_EQ(Multiply(integers, x, 1), Multiply(integers, x, 3));
    const auto packed = PackedMatrix::Pack(grid.values, layout.outputs, layout.inputs, Precision::kF32);
    const auto decoded = integers.Decode(Precision::kF32, 2);
    ASSERT_TRUE(packed.ok() && decoded.ok());
    std::vector<float> a(layout.outputs), b(layout.outputs);
    ASSERT_TRUE(packed->MultiplyPanels(0, packed->panels(), x.data(), nullptr, false, a.data()).ok());
    ASSERT_TRUE(decoded->MultiplyPanels(0, decoded->panels(), x.data(), nullptr, false, b.data()).ok());
    EXPECT_EQ(a, b);
  }
}

// A random matrix of a book's codes, and its values.
struct BookGrid {
  BookLayout layout;
  std::vector<uint8_t> codes;
  std::vector<float> scales, values;

  BookGrid(const BookLayout& layout, uint32_t seed) : layout(layout) {
    std::mt19937 random(seed);
    const int64_t groups = layout.inputs / layout.group_size;
    scales = RandomFloats(layout.outputs * groups, seed + 1);
    for (int64_t i = 0; i < layout.outputs * layout.inputs; ++i) {
      uint8_t code = random() % layout.book.size();
      while (std::isnan(layout.book[code])) ++code;
      codes.push_back(code);
      values.push_back(layout.book[codes[i]] *
                       scales[i / layout.inputs * groups + i % layout.inputs / layout.group_size]);
    }
  }

  LowBitMatrix Pack(RowActivations activations, int threads) const {
    const int64_t groups = layout.inputs / layout.group_size;
    auto matrix = LowBitMatrix::PackBook(
        layout, activations, threads, [&](int64_t row, std::span<uint8_t> row_codes, std::span<float> row_scales) {
          std::copy_n(codes.begin() + row * layout.inputs, layout.inputs, row_codes.begin());
          std::copy_n(scales.begin() + row * groups, groups, row_scales.begin());
        });
    EXPECT_TRUE(matrix.ok()) << matrix.status();
    return *std::move(matrix);
  }

  // Each product's magnitude summed: what errors go by.
  void ExpectNear(const std::vector<float>& x, const std::vector<float>& y) const {
    const std::vector<double> expected = reference::MatMul(x, values, {}, 1, layout.outputs, layout.inputs);
    for (int64_t o = 0; o < layout.outputs; ++o) {
      double magnitude = 0;
      for (int64_t i = 0; i < layout.inputs; ++i) magnitude += std::abs(x[i] * values[o * layout.inputs + i]);
      ASSERT_NEAR(y[o], expected[o], 2e-6 * magnitude + 1e-9) << layout.inputs << " in groups of " << layout.group_size;
    }
  }
};

std::vector<float> MinifloatBook(bool e5m2) {
  const std::array<float, 256>& values = e5m2 ? F8E5M2Values() : F8E4M3Values();
  std::vector<float> book(values.begin(), values.end());
  for (float& value : book) value = std::isfinite(value) ? value : std::nanf("");
  return book;
}

TEST(LowBitMatrixTest, CodeBooksMatchTheReference) {
  const std::vector<float> random = RandomFloats(16, 11);
  for (const std::vector<float>& book : {random, kFp4, MinifloatBook(false), MinifloatBook(true)}) {
    for (const auto& [outputs, inputs, group] :
         std::vector<std::array<int64_t, 3>>{{33, 96, 32}, {5, 77, 77}, {1, 7, 7}, {17, 192, 64}, {20, 96, 16}}) {
      if (group == 16 && book.size() == 256) continue;
      const BookGrid grid({outputs, inputs, group, book}, 12);
      const LowBitMatrix matrix = grid.Pack(RowActivations::kFloat32, 2);
      const std::vector<float> x = RandomFloats(inputs, 14);
      grid.ExpectNear(x, Multiply(matrix, x, 1));
      EXPECT_EQ(Multiply(matrix, x, 1), Multiply(matrix, x, 3));
      const auto packed = PackedMatrix::Pack(grid.values, outputs, inputs, Precision::kF32);
      const auto decoded = matrix.Decode(Precision::kF32, 1);
      ASSERT_TRUE(packed.ok() && decoded.ok());
      std::vector<float> a(outputs), b(outputs);
      ASSERT_TRUE(packed->MultiplyPanels(0, packed->panels(), x.data(), nullptr, false, a.data()).ok());
      ASSERT_TRUE(decoded->MultiplyPanels(0, decoded->panels(), x.data(), nullptr, false, b.data()).ok());
      EXPECT_EQ(a, b);
    }
  }
}

TEST(LowBitMatrixTest, Fp4TimesInt8MatchesTheReferenceOnRoundedRows) {
  for (const auto& [outputs, inputs, group] :
       std::vector<std::array<int64_t, 3>>{{33, 96, 32}, {5, 77, 77}, {1, 7, 7}, {17, 192, 64}}) {
    const BookGrid grid({outputs, inputs, group, kFp4}, 15);
    const LowBitMatrix matrix = grid.Pack(RowActivations::kInt8, 2);
    const std::vector<float> x = RandomFloats(inputs, 16);
    grid.ExpectNear(RoundToInt8(x), Multiply(matrix, x, 1));
    EXPECT_EQ(Multiply(matrix, x, 1), Multiply(matrix, x, 3));
  }
  // The largest numbers everywhere: 16-bit sums must not overflow.
  BookGrid grid({16, 96, 96, kFp4}, 17);
  std::fill(grid.codes.begin(), grid.codes.end(), 7);
  std::fill(grid.scales.begin(), grid.scales.end(), 1.0f);
  for (const float sign : {1.0f, -1.0f}) {
    EXPECT_EQ(Multiply(grid.Pack(RowActivations::kInt8, 1), std::vector<float>(96, sign * 127.0f), 1),
              std::vector<float>(16, sign * 127 * 96 * 6));
  }
}

TEST(LowBitMatrixTest, BooksWithoutAKernelAreRefused) {
  const std::vector<float> random = RandomFloats(16, 18);
  std::vector<float> other = MinifloatBook(false);
  other[3] = 0.3f;
  EXPECT_TRUE(LowBitMatrix::SupportsBook({16, 64, 32, kFp4}, RowActivations::kInt8));
  // Not whole multiples, groups of half a block, not 8 bits of FP8.
  EXPECT_FALSE(LowBitMatrix::SupportsBook({16, 64, 32, random}, RowActivations::kInt8));
  EXPECT_FALSE(LowBitMatrix::SupportsBook({16, 64, 16, kFp4}, RowActivations::kInt8));
  EXPECT_FALSE(LowBitMatrix::SupportsBook({16, 64, 32, other}, RowActivations::kFloat32));
  EXPECT_FALSE(LowBitMatrix::SupportsBook({16, 48, 16, kFp4}, RowActivations::kFloat32));
  EXPECT_FALSE(LowBitMatrix::SupportsBook({16, 64, 32, kFp4}, RowActivations::kInt8Token));
  EXPECT_EQ(LowBitMatrix::PackBook({16, 64, 32, random}, RowActivations::kInt8, 1,
                                   [](int64_t, std::span<uint8_t>, std::span<float>) {})
                .status()
                .code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(LowBitMatrixTest, RefusesWhatHasNoKernel) {
  EXPECT_FALSE(LowBitMatrix::Supports({16, 64, 4, 8, false}));
  EXPECT_FALSE(LowBitMatrix::Supports({16, 48, 4, 16, false}));
  EXPECT_FALSE(LowBitMatrix::SupportsLevels({16, 64, 4, 8}));
  EXPECT_FALSE(LowBitMatrix::Supports({16, 64, 9, 32, false}));
  EXPECT_FALSE(LowBitMatrix::Supports({16, 100, 4, 32, false}));
  EXPECT_FALSE(LowBitMatrix::Supports({0, 64, 4, 32, false}));
  const auto matrix = LowBitMatrix::Pack({16, 64, 4, 8, false}, RowActivations::kInt8, 1,
                                         [](int64_t, std::span<uint8_t>, std::span<uint16_t>, std::span<uint8_t>) {});
  EXPECT_EQ(matrix.status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
