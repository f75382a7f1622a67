#include "core/kernels/column_absmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

TEST(ColumnAbsMaxTest, MatchesThePlainLoop) {
  for (const int64_t columns : {1, 3, 7, 8, 15, 16, 17, 33, 577}) {
    for (const int64_t rows : {0, 1, 2, 9}) {
      const int64_t stride = columns + 2;
      const std::vector<float> x = RandomFloats((rows + 1) * stride, 3);
      // What was there before counts; what lies behind must not change.
      std::vector<float> largest(columns + 1, 0.25f), expected = largest;
      for (int64_t i = 0; i < columns; ++i) {
        for (int64_t row = 0; row < rows; ++row) expected[i] = std::max(expected[i], std::abs(x[row * stride + i]));
      }
      AddColumnAbsMax(x.data(), stride, rows, columns, largest.data());
      EXPECT_EQ(largest, expected) << rows << " x " << columns;
    }
  }
}

TEST(ColumnAbsMaxTest, WhatIsNotFiniteWins) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  constexpr int64_t kColumns = 19;
  for (const int64_t column : {0, 5, 18}) {
    for (const float bad : {infinity, -infinity, nan, -nan}) {
      std::vector<float> x(3 * kColumns, 1e30f), largest(kColumns);
      x[kColumns + column] = bad;
      AddColumnAbsMax(x.data(), kColumns, 3, kColumns, largest.data());
      for (int64_t i = 0; i < kColumns; ++i) EXPECT_EQ(std::isfinite(largest[i]), i != column) << i;
      EXPECT_EQ(std::isnan(largest[column]), std::isnan(bad));
    }
  }
}

}  // namespace
}  // namespace tersor
