#include "core/kernels/squared_error.h"

#include <gtest/gtest.h>

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

TEST(SquaredErrorTest, EqualValuesHaveNoError) {
  const std::vector<float> values = RandomFloats(1000, 3);
  EXPECT_EQ(SumSquares(values.data(), values.data(), 1000).error, 0);
}

}  // namespace
}  // namespace tersor
