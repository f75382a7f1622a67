#include "core/kernels/activations.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/kernels/reference.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {

static void PrintTo(Activation activation, std::ostream* out) {
  constexpr const char* kNames[] = {"silu", "gelu", "gelu_tanh", "relu"};
  *out << kNames[static_cast<int>(activation)];
}

namespace {

class ActivationsTest : public ::testing::TestWithParam<Activation> {};

TEST_P(ActivationsTest, MatchesTheReference) {
  for (const int64_t count : {1, 7, 16, 33, 1000}) {
    std::vector<float> x = RandomFloats(count, 3, 6);
    const std::vector<double> expected = reference::Activate(GetParam(), x);
    Activate(GetParam(), x.data(), count);
    for (int64_t i = 0; i < count; ++i) EXPECT_NEAR(x[i], expected[i], 1e-6 * (1 + std::fabs(expected[i]))) << i;
  }
}

TEST_P(ActivationsTest, PlaceAndCountChangeNothing) {
  const std::vector<float> x = RandomFloats(67, 4, 3);
  std::vector<float> whole = x;
  Activate(GetParam(), whole.data(), 67);
  for (size_t i = 0; i < x.size(); ++i) {
    float one = x[i];
    Activate(GetParam(), &one, 1);
    EXPECT_EQ(one, whole[i]) << i;
  }
}

TEST_P(ActivationsTest, WhatIsNoNumberStaysNone) {
  std::vector<float> x = RandomFloats(67, 4, 3);
  for (const size_t at : {0, 17, 66}) x[at] = std::nanf("");
  std::vector<float> activated = x;
  Activate(GetParam(), activated.data(), 67);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(std::isnan(activated[i]), std::isnan(x[i])) << i;
}

TEST_P(ActivationsTest, FarEndsAreFinite) {
  std::vector<float> x = {-1e4f, -90, 0, 90, 1e4f};
  Activate(GetParam(), x.data(), 5);
  EXPECT_NEAR(x[0], 0, 1e-30);
  EXPECT_EQ(x[2], 0);
  EXPECT_EQ(x[3], 90);
  EXPECT_EQ(x[4], 1e4f);
}

TEST_P(ActivationsTest, GatedMultiplies) {
  for (const int64_t count : {1, 16, 45}) {
    std::vector<float> gate = RandomFloats(count, 5, 2);
    const std::vector<float> up = RandomFloats(count, 6);
    const std::vector<double> expected = reference::Activate(GetParam(), gate);
    ActivateGated(GetParam(), gate.data(), up.data(), count);
    for (int64_t i = 0; i < count; ++i) EXPECT_NEAR(gate[i], expected[i] * up[i], 2e-6) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ActivationsTest,
                         ::testing::Values(Activation::kSilu, Activation::kGelu, Activation::kGeluTanh,
                                           Activation::kRelu));

}  // namespace
}  // namespace tersor
