#include "core/kernels/outer_products.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/kernels/triangle_panels.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

TEST(OuterProductsTest, MatchesPlainLoops) {
  for (const int64_t depth : {0, 1, 7, 130}) {
    for (const int64_t rows : {1, 4, 6, 13, 64}) {
      for (const int64_t columns : {16, 32, 48, 64, 80}) {
        const int64_t a_stride = rows + 3, b_stride = columns + 5, c_stride = columns + 2;
        const std::vector<float> a = RandomFloats((depth + 1) * a_stride, 1),
                                 b = RandomFloats((depth + 1) * b_stride, 2);
        const std::vector<float> start = RandomFloats(rows * c_stride, 3);
        std::vector<float> c = start;
        AddOuterProducts({depth, a.data(), a_stride, rows, b.data(), b_stride, columns, c.data(), c_stride});
        for (int64_t i = 0; i < rows * c_stride; ++i) {
          double expected = start[i];
          for (int64_t k = 0; k < depth && i % c_stride < columns; ++k) {
            expected += static_cast<double>(a[k * a_stride + i / c_stride]) * b[k * b_stride + i % c_stride];
          }
          ASSERT_NEAR(c[i], expected, 1e-5 * static_cast<double>(depth + 1)) << depth << " " << rows << " " << columns;
        }
      }
    }
  }
}

TEST(OuterProductsTest, AnElementHasTheSameBitsInAnyTile) {
  constexpr int64_t kDepth = 77;
  const std::vector<float> a = RandomFloats(kDepth * 64, 1), b = RandomFloats(kDepth * 64, 2);
  std::vector<float> whole(64 * 64), part(64 * 64);
  AddOuterProducts({kDepth, a.data(), 64, 64, b.data(), 64, 64, whole.data(), 64});
  AddOuterProducts({kDepth, a.data() + 5, 64, 3, b.data() + 16, 64, 16, part.data() + 5 * 64 + 16, 64});
  for (int64_t i = 5; i < 8; ++i) {
    for (int64_t j = 16; j < 32; ++j) ASSERT_EQ(part[i * 64 + j], whole[i * 64 + j]);
  }
}

TEST(OuterProductsTest, PanelMomentsMatchPlainLoops) {
  for (const int64_t rows : {1, 129, 300}) {
    for (const int64_t columns : {3, 64, 200}) {
      const std::vector<float> x = RandomFloats(rows * columns, 1);
      ColumnPanels panels(rows + 2, columns);
      for (int64_t row = 0; row < rows; ++row) panels.SetRow(row, x.data() + row * columns);
      const int64_t count = panels.panels(), width = count * kPanelColumns;
      for (const bool lower_only : {false, true}) {
        std::vector<float> c(width * width, 1.0f);
        AddPanelMoments(panels, {0, count}, panels, {0, count}, rows, lower_only, c.data(), width);
        for (int64_t i = 0; i < width; ++i) {
          for (int64_t j = 0; j < width; ++j) {
            double expected = 1;
            const bool left_alone = lower_only && j / kPanelColumns > i / kPanelColumns;
            for (int64_t t = 0; t < rows && i < columns && j < columns && !left_alone; ++t) {
              expected += static_cast<double>(x[t * columns + i]) * x[t * columns + j];
            }
            ASSERT_NEAR(c[i * width + j], expected, 1e-5 * static_cast<double>(rows + 1));
          }
        }
      }
    }
  }
}

TEST(TrianglePanelsTest, HoldsTheUpperTriangle) {
  for (const int64_t size : {1, 63, 64, 65, 200}) {
    TrianglePanels panels(size);
    for (int64_t i = 0; i < size; ++i) {
      for (int64_t j = i; j < size; ++j) panels.at(i, j) = static_cast<float>(i * 1000 + j);
    }
    EXPECT_EQ(panels.rows(panels.panels() - 1), size);
    for (int64_t j = 0; j < size; ++j) {
      for (int64_t i = 0; i < panels.rows(j / kPanelColumns); ++i) {
        ASSERT_EQ(panels.column(j)[i * kPanelColumns], i <= j ? static_cast<float>(i * 1000 + j) : 0.0f);
      }
    }
  }
}

}  // namespace
}  // namespace tersor
