#include "core/statistics/distributions.h"

#include <cmath>

#include "gtest/gtest.h"
#include "tests/core/statistics/recorded.h"

namespace tersor {
namespace {

using testing::Recorded;

TEST(DistributionsTest, NormalIsScipys) {
  for (const auto& point : Recorded("distributions")["normal"]) {
    const double p = point["p"], z = point["z"];
    EXPECT_NEAR(NormalQuantile(p), z, 1e-13 * (1 + std::abs(z))) << p;
    EXPECT_NEAR(NormalCdf(z), p, 1e-12 * p) << z;
  }
  EXPECT_TRUE(std::isinf(NormalQuantile(0)) && NormalQuantile(0) < 0);
  EXPECT_TRUE(std::isinf(NormalQuantile(1)) && NormalQuantile(1) > 0);
  EXPECT_TRUE(std::isnan(NormalQuantile(1.5)));
  EXPECT_NEAR(TwoSidedNormal(0.95), 1.959963984540054, 1e-14);
}

TEST(DistributionsTest, StudentIsScipys) {
  for (const auto& point : Recorded("distributions")["student"]) {
    const double t = point["t"];
    EXPECT_NEAR(StudentQuantile(point["p"], point["degrees"]), t, 1e-10 * (1 + std::abs(t))) << point;
    EXPECT_NEAR(StudentCdf(t, point["degrees"]), point["p"].get<double>(), 1e-12) << point;
  }
  EXPECT_EQ(StudentQuantile(0.5, 3), 0);
  // Printed in every table of t: 7 degrees of freedom, two-sided 95 %.
  EXPECT_NEAR(TwoSidedStudent(0.95, 7), 2.3646, 5e-5);
}

TEST(DistributionsTest, BetaAndBinomialAreScipys) {
  for (const auto& point : Recorded("distributions")["beta"]) {
    const double value = point["value"];
    EXPECT_NEAR(IncompleteBeta(point["x"], point["a"], point["b"]), value, 1e-12 * value) << point;
  }
  for (const auto& point : Recorded("distributions")["binomial"]) {
    EXPECT_NEAR(BinomialCdf(point["k"], point["n"], point["p"]), point["cdf"].get<double>(), 1e-12) << point;
  }
  EXPECT_EQ(BinomialCdf(-1, 5, 0.5), 0);
}

}  // namespace
}  // namespace tersor
