#include "core/kernels/machine_limits.h"

#include <gtest/gtest.h>

namespace tersor {
namespace {

TEST(MachineLimitsTest, RatesArePlausible) {
  // Any machine of this century, sanitizers and other load included, and none of it.
  const double bandwidth = MeasureReadBandwidth(2, 8 << 20);
  EXPECT_GT(bandwidth, 1e7);
  EXPECT_LT(bandwidth, 1e14);
  const double arithmetic = MeasureMultiplyAddRate(2);
  EXPECT_GT(arithmetic, 1e7);
  EXPECT_LT(arithmetic, 1e14);
}

}  // namespace
}  // namespace tersor
