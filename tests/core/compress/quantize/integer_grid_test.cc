#include "core/compress/quantize/integer_grid.h"

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/tensor/float16.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

std::vector<float> Normal(int count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.1f);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

double Error(const std::vector<float>& values, const std::vector<float>& importance, const GridCandidate& grid,
             int bits) {
  double error = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double place = grid.scale == 0 ? grid.zero_point : std::nearbyint(values[i] / grid.scale + grid.zero_point);
    const double code = std::min(std::max(place, 0.0), std::ldexp(1, bits) - 1);
    const double miss = values[i] - (code - grid.zero_point) * grid.scale;
    error += (importance.empty() ? 1.0 : importance[i]) * miss * miss;
  }
  return error;
}

TEST(IntegerGridTest, MinMaxSpansTheValues) {
  const GridCandidate symmetric =
      FitGrid(std::vector<float>{0.5f, -1.5f, 0.2f}, {}, {4, 3, true, v1::SCALE_SEARCH_MINMAX});
  EXPECT_EQ(symmetric.scale, F16ToFloat(FloatToF16(1.5f / 8)));
  EXPECT_EQ(symmetric.zero_point, 8);
  EXPECT_EQ(FitGrid(std::vector<float>{0.5f, 1.5f, 0.2f}, {}, {4, 3, true, v1::SCALE_SEARCH_MINMAX}).scale,
            F16ToFloat(FloatToF16(-1.5f / 8)));
  const GridCandidate offset =
      FitGrid(std::vector<float>{0.5f, -1.0f, 0.2f}, {}, {4, 3, false, v1::SCALE_SEARCH_MINMAX});
  EXPECT_EQ(offset.scale, F16ToFloat(FloatToF16(0.1f)));
  EXPECT_EQ(offset.zero_point, 10);
  // A range that does not hold 0 is widened to it.
  const GridCandidate positive = FitGrid(std::vector<float>{1, 2, 3}, {}, {2, 3, false, v1::SCALE_SEARCH_MINMAX});
  EXPECT_EQ(positive.scale, 1);
  EXPECT_EQ(positive.zero_point, 0);
}

TEST(IntegerGridTest, ZeroesGetAScaleOfZero) {
  for (const bool symmetric : {true, false}) {
    for (const v1::ScaleSearch search : {v1::SCALE_SEARCH_MINMAX, v1::SCALE_SEARCH_MSE}) {
      EXPECT_EQ(FitGrid(std::vector<float>(8), {}, {4, 8, symmetric, search}).scale, 0);
    }
  }
}

TEST(IntegerGridTest, SearchesLowerTheErrorTheyAreAskedFor) {
  for (const int bits : {2, 3, 4, 8}) {
    for (const bool symmetric : {true, false}) {
      const std::vector<float> values = Normal(64, bits);
      std::vector<float> importance(64, 0.01f);
      for (int i = 0; i < 64; i += 9) importance[i] = 10;
      const GridCandidate plain = FitGrid(values, {}, {bits, 64, symmetric, v1::SCALE_SEARCH_MINMAX});
      const GridCandidate mse = FitGrid(values, {}, {bits, 64, symmetric, v1::SCALE_SEARCH_MSE});
      const GridCandidate weighted = FitGrid(values, importance, {bits, 64, symmetric, v1::SCALE_SEARCH_HESSIAN});
      EXPECT_LE(Error(values, {}, mse, bits), Error(values, {}, plain, bits));
      EXPECT_LE(Error(values, importance, weighted, bits), Error(values, importance, mse, bits) * (1 + 1e-6));
      if (bits == 3) {
        EXPECT_LT(Error(values, {}, mse, bits), 0.95 * Error(values, {}, plain, bits));
        EXPECT_LT(Error(values, importance, weighted, bits), 0.95 * Error(values, importance, mse, bits));
      }
      for (const GridCandidate& grid : {mse, weighted}) {
        EXPECT_EQ(grid.scale, F16ToFloat(FloatToF16(grid.scale)));
        EXPECT_GE(grid.zero_point, 0);
        EXPECT_LE(grid.zero_point, std::ldexp(1, bits) - 1);
      }
    }
  }
}

TEST(IntegerGridTest, TheLongerSideServesTheLargerValues) {
  // 8 steps up, 7 down: only a negative scale holds both ends exactly.
  const std::vector<float> values = {8, -7, 4, 3, -2, 1};
  const GridCandidate grid = FitGrid(values, {}, {4, 6, true, v1::SCALE_SEARCH_MSE});
  EXPECT_LT(grid.scale, 0);
  EXPECT_LT(Error(values, {}, grid, 4), 0.05);
}

TEST(IntegerGridTest, RefusesWeightsThatNoScaleHolds) {
  const GridOptions options{4, 2, true, v1::SCALE_SEARCH_MINMAX};
  const auto check = [&](float value) {
    const std::vector<float> weights = {1, value};
    return CheckWeights({weights.data(), 1, 2}, options);
  };
  EXPECT_TRUE(check(1e5f).ok());
  EXPECT_THAT(check(1e6f).message(), HasSubstr("weight [0, 1] is 1e+06, too large for an F16 scale"));
  EXPECT_THAT(check(std::nanf("")).message(), HasSubstr("not a finite number"));
  EXPECT_THAT(check(-std::numeric_limits<float>::infinity()).message(), HasSubstr("not a finite number"));
}

}  // namespace
}  // namespace tersor
