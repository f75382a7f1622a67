#include "core/model/rope_table.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tersor {
namespace {

TEST(RopeTableTest, AnglesOfPlainRope) {
  RopeSpec spec;
  spec.theta = 100000;
  const auto table = RopeTable::Get(spec, 64, 2048);
  ASSERT_GE(table->positions(), 2048);
  for (const int64_t position : {0, 1, 1000, 2047}) {
    for (const int64_t i : {0, 5, 31}) {
      const double angle = position / std::pow(100000.0, 2.0 * i / 64);
      EXPECT_FLOAT_EQ(table->cosines(position)[i], static_cast<float>(std::cos(angle)));
      EXPECT_FLOAT_EQ(table->sines(position)[i], static_cast<float>(std::sin(angle)));
    }
  }
}

TEST(RopeTableTest, LinearScalingDividesPositions) {
  RopeSpec plain, scaled;
  scaled.linear_factor = 4;
  const auto a = RopeTable::Get(plain, 16, 64), b = RopeTable::Get(scaled, 16, 64);
  for (int i = 0; i < 8; ++i) EXPECT_FLOAT_EQ(b->cosines(40)[i], a->cosines(10)[i]);
}

TEST(RopeTableTest, Llama3ScalingKeepsShortAndSlowsLongWavelengths) {
  RopeSpec plain, scaled;
  plain.theta = scaled.theta = 500000;
  scaled.llama3 = Llama3RopeScaling{8, 1, 4, 8192};
  const auto before = RopeFrequencies(plain, 128), after = RopeFrequencies(scaled, 128);
  for (size_t i = 0; i < before.size(); ++i) {
    const double wavelength = 2 * M_PI / before[i];
    if (wavelength < 8192.0 / 4) {
      EXPECT_DOUBLE_EQ(after[i], before[i]);
    } else if (wavelength > 8192.0) {
      EXPECT_DOUBLE_EQ(after[i], before[i] / 8);
    } else {
      EXPECT_LT(after[i], before[i]);
      EXPECT_GT(after[i], before[i] / 8);
    }
  }
}

TEST(RopeTableTest, TablesAreSharedAndGrow) {
  RopeSpec spec;
  spec.theta = 777;
  const auto small = RopeTable::Get(spec, 8, 10);
  EXPECT_EQ(RopeTable::Get(spec, 8, 20), small);
  const auto large = RopeTable::Get(spec, 8, small->positions() + 1);
  EXPECT_NE(large, small);
  EXPECT_EQ(RopeTable::Get(spec, 8, 10), large);
}

}  // namespace
}  // namespace tersor
