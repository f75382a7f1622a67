#include "core/encoding/int_token_format.h"

#include <cmath>
#include <limits>
#include <random>

#include "core/encoding/activation_registry.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::HasSubstr;

std::vector<float> Round(const std::vector<float>& x, int64_t width, const IntTokenOptions& options) {
  std::vector<float> out(x.size());
  (*IntTokenFormat::Create(width, options))->Round(x.data(), static_cast<int64_t>(x.size()) / width, out.data());
  return out;
}

TEST(IntTokenFormatTest, EachTokenHasItsOwnScale) {
  const std::vector<float> out = Round({127, 1.4f, -64.5f, 0.0127f, -0.00016f, 0}, 3, {});
  EXPECT_THAT(out, ElementsAre(FloatEq(127), FloatEq(1), FloatEq(-64), FloatEq(0.0127f), FloatEq(-0.0002f), 0));
}

TEST(IntTokenFormatTest, AsymmetricRangesHoldZero) {
  // Range 0 .. 15 of 4 bits: a grid of whole numbers; the second token's range is -5 .. 10.
  const std::vector<float> out = Round({15, 3.4f, 2, -5, 10, 0.2f}, 3, {.bits = 4, .symmetric = false});
  EXPECT_THAT(out, ElementsAre(15, 3, 2, -5, 10, 0));
}

TEST(IntTokenFormatTest, GroupsOfATokenHaveTheirOwnScales) {
  const std::vector<float> out = Round({7, 1.2f, 0.07f, 0.012f}, 4, {.bits = 4, .group_size = 2});
  EXPECT_THAT(out, ElementsAre(FloatEq(7), FloatEq(1), FloatEq(0.07f), FloatEq(0.01f)));
}

TEST(IntTokenFormatTest, OutliersStayAndSetNoScale) {
  const std::vector<float> out = Round({1e4f, -6, 1.27f, 0.014f}, 4, {.outlier_threshold = 6});
  EXPECT_THAT(out, ElementsAre(1e4f, -6, FloatEq(1.27f), FloatEq(0.01f)));
  // All of them: nothing is left to round.
  EXPECT_THAT(Round({7, 8}, 2, {.outlier_threshold = 6}), ElementsAre(7, 8));
}

TEST(IntTokenFormatTest, ErrorIsAtMostHalfAStep) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const bool symmetric : {true, false}) {
    for (int bits = 2; bits <= 8; ++bits) {
      std::vector<float> x(96);
      for (float& value : x) value = normal(random);
      float low = 0, high = 0;
      for (const float value : x) low = std::min(low, value), high = std::max(high, value);
      const float range = symmetric ? 2 * std::max(high, -low) : high - low;
      const float step = range / static_cast<float>((1 << bits) - (symmetric ? 2 : 1));
      const std::vector<float> out = Round(x, 96, {.bits = bits, .symmetric = symmetric});
      // A rounded zero point may push the ends of the range by half a step.
      for (size_t i = 0; i < x.size(); ++i) EXPECT_LE(std::abs(out[i] - x[i]), step * (symmetric ? 0.5001f : 1.0001f));
    }
  }
}

TEST(IntTokenFormatTest, ZeroAndTinyTokens) {
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_THAT(Round({0, 0}, 2, {}), ElementsAre(0, 0));
  EXPECT_THAT(Round({tiny, 0}, 2, {}), ElementsAre(0, 0));
  EXPECT_THAT(Round({0, 0}, 2, {.symmetric = false}), ElementsAre(0, 0));
}

TEST(IntTokenFormatTest, ParametersRebuildIt) {
  const IntTokenOptions options = {.bits = 6, .symmetric = false, .group_size = 8, .outlier_threshold = 2.5f};
  const auto format = *IntTokenFormat::Create(32, options);
  const auto again = RebuildActivationFormat(format->name(), 32, format->Fields(), format->Parameters());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(dynamic_cast<const IntTokenFormat&>(**again).options(), options);
}

TEST(IntTokenFormatTest, RefusesWhatMakesNoSense) {
  EXPECT_FALSE(IntTokenFormat::Create(32, {.bits = 9}).ok());
  EXPECT_FALSE(IntTokenFormat::Create(32, {.group_size = 33}).ok());
  EXPECT_FALSE(IntTokenFormat::Create(32, {.group_size = 0}).ok());
  EXPECT_FALSE(IntTokenFormat::Create(32, {.outlier_threshold = NAN}).ok());
  const auto rebuilt = [](const nlohmann::json& parameters) {
    return std::string(RebuildActivationFormat("int-token", 32, {}, parameters).status().message());
  };
  EXPECT_THAT(rebuilt({{"bits", 8}}), HasSubstr("\"symmetric\" is missing"));
  EXPECT_THAT(rebuilt(nullptr), HasSubstr("\"bits\" is missing"));
  EXPECT_THAT(std::string(RebuildActivationFormat("int9", 32, {}, {}).status().message()),
              HasSubstr("known: int-token"));
}

}  // namespace
}  // namespace tersor
