#include "core/kernels/squared_error.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

TEST(SquaredErrorTest, MatchesPlainLoops) {
  for (const int64_t count : {0, 1, 7, 8, 15, 16, 17, 255, 256, 257, 577, 20000}) {
    const std::vector<float> values = RandomFloats(count, 1), others = RandomFloats(count, 2);
    double error = 0, energy = 0;
    for (int64_t i = 0; i < count; ++i) {
      const double difference = static_cast<double>(others[i]) - values[i];
      error += difference * difference;
      energy += static_cast<double>(values[i]) * values[i];
    }
    const SquareSums sums = SumSquares(values.data(), others.data(), count);
    EXPECT_NEAR(sums.error, error, 1e-6 * error) << count;
    EXPECT_NEAR(sums.energy, energy, 1e-6 * energy) << count;
  }
}

TEST(SquaredErrorTest, SquaresBeyondFloats) {
  for (const float size : {1e-30f, 1e-13f, 1e18f, 1e25f}) {
    std::vector<float> values = RandomFloats(300, 1), others = RandomFloats(300, 2);
    double error = 0, energy = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] *= size;
      others[i] *= size;
      error += std::pow(static_cast<double>(others[i]) - values[i], 2);
      energy += std::pow(static_cast<double>(values[i]), 2);
    }
    const SquareSums sums = SumSquares(values.data(), others.data(), 300);
    EXPECT_NEAR(sums.error / error, 1, 1e-5) << size;
    EXPECT_NEAR(sums.energy / energy, 1, 1e-5) << size;
  }
}

TEST(SquaredErrorTest, EqualValuesHaveNoError) {
  const std::vector<float> values = RandomFloats(1000, 3);
  EXPECT_EQ(SumSquares(values.data(), values.data(), 1000).error, 0);
}

}  // namespace
}  // namespace tersor
