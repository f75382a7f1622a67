// Float, static, shifted and pair formats of inputs.
#include <cmath>
#include <random>

#include "core/encoding/activation_registry.h"
#include "core/encoding/float_token_format.h"
#include "core/encoding/int_static_format.h"
#include "core/encoding/int_token_format.h"
#include "core/encoding/outlier_pair_format.h"
#include "core/encoding/shifted_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

std::vector<float> Round(const ActivationFormat& format, const std::vector<float>& x) {
  std::vector<float> out(x.size());
  format.Round(x.data(), static_cast<int64_t>(x.size()) / format.width(), out.data());
  return out;
}

std::vector<ActivationFormatPtr> Samples() {
  const std::vector<StaticGrid> grids = {{0.5f, 8}, {0.25f, 0}, {0, 3}};
  const ActivationFormatPtr clusters = *IntStaticFormat::Create(4, 4, grids, {0, 1, 1, 2});
  return {*FloatTokenFormat::Create(4, {&E4m3Book()}),
          *FloatTokenFormat::Create(4, {&E2m1Book(), 2, ScaleForm::kE8m0}),
          *FloatTokenFormat::Create(4, {&E2m1Book(), 2, ScaleForm::kE4m3}),
          clusters,
          *IntStaticFormat::Create(4, 8, {{0.1f, 128}}, {}),
          *OutlierPairFormat::Create(4, 4, 0.5f),
          *ShiftedFormat::Create({1, -2, 0, 0.5f}, clusters)};
}

TEST(ActivationFormatsTest, PartsRebuildThem) {
  const std::vector<float> x = {0.3f, -7, 2.2f, 100, 1e-3f, 0, -0.4f, 5};
  for (const ActivationFormatPtr& format : Samples()) {
    const auto again = RebuildActivationFormat(format->name(), 4, format->Fields(), format->Parameters());
    ASSERT_TRUE(again.ok()) << format->name() << ": " << again.status();
    EXPECT_EQ(Round(**again, x), Round(*format, x)) << format->name();
    std::vector<EncodedField> strange = format->Fields();
    strange.push_back({"strange", *Tensor::Own<float>(DType::kF32, {1}, {1.0f})});
    EXPECT_FALSE(RebuildActivationFormat(format->name(), 4, strange, format->Parameters()).ok()) << format->name();
    const nlohmann::json parameters = format->Parameters();
    for (const auto& [key, value] : parameters.items()) {
      nlohmann::json forged = format->Parameters();
      forged[key] = nullptr;
      EXPECT_FALSE(RebuildActivationFormat(format->name(), 4, format->Fields(), forged).ok()) << key;
    }
  }
}

TEST(ActivationFormatsTest, ARowDependsOnItselfAlone) {
  const std::vector<float> x = {0.3f, -7, 2.2f, 100, 1e-3f, 0, -0.4f, 5};
  for (const ActivationFormatPtr& format : Samples()) {
    const std::vector<float> together = Round(*format, x);
    const std::vector<float> alone = Round(*format, {x.begin() + 4, x.end()});
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), together.begin() + 4)) << format->name();
  }
}

TEST(FloatTokenFormatTest, TheLargestBecomesTheBooksLargest) {
  const auto format = *FloatTokenFormat::Create(4, {&E4m3Book()});
  // Scale 2: 448, 17 -> 16 (a tie), 19 -> 20, 0.
  EXPECT_THAT(Round(*format, {896, 34, 38, 0}), ElementsAre(896, 32, 40, 0));
  EXPECT_THAT(Round(*format, {0, 0, 0, 0}), ElementsAre(0, 0, 0, 0));
}

TEST(FloatTokenFormatTest, MxScalesArePowersOfTwoABlock) {
  const auto format = *FloatTokenFormat::Create(4, {&E2m1Book(), 2, ScaleForm::kE8m0});
  // Scales 1 (of 5) and 0.5 (of 3.9, which saturates at 3).
  EXPECT_THAT(Round(*format, {4.9f, 0.7f, -3.9f, 0.2f}), ElementsAre(4, 0.5f, -3, 0.25f));
}

TEST(FloatTokenFormatTest, RefusesWhatMakesNoSense) {
  EXPECT_FALSE(FloatTokenFormat::Create(4, {nullptr}).ok());
  EXPECT_FALSE(FloatTokenFormat::Create(4, {&E4m3Book(), 3}).ok());
  EXPECT_FALSE(FloatTokenFormat::Create(4, {&E4m3Book(), -1, ScaleForm::kDouble}).ok());
}

TEST(IntStaticFormatTest, ClustersHaveTheirOwnGrids) {
  const auto format = *IntStaticFormat::Create(4, 4, {{0.5f, 8}, {0.25f, 0}, {0, 3}}, {0, 1, 1, 2});
  // -4 .. 3.5, 0 .. 3.75 twice, and a cluster that was always zero.
  EXPECT_THAT(Round(*format, {-9, 1.3f, -1, 7}), ElementsAre(-4, 1.25f, 0, 0));
}

TEST(IntStaticFormatTest, GridsSpanTheRange) {
  const StaticGrid grid = SpanStaticGrid(-1, 14, 4, /*symmetric=*/false);
  EXPECT_EQ(grid.scale, 1);
  EXPECT_EQ(grid.zero_point, 1);
  const StaticGrid symmetric = SpanStaticGrid(-1, 127, 8, /*symmetric=*/true);
  EXPECT_EQ(symmetric.scale, 1);
  EXPECT_EQ(symmetric.zero_point, 128);
  EXPECT_EQ(SpanStaticGrid(0, 0, 8, false).scale, 0);
}

TEST(IntStaticFormatTest, RefusesForgedGrids) {
  EXPECT_FALSE(IntStaticFormat::Create(4, 4, {{0.5f, 16}}, {}).ok());
  EXPECT_FALSE(IntStaticFormat::Create(4, 4, {{NAN, 1}}, {}).ok());
  EXPECT_FALSE(IntStaticFormat::Create(4, 4, {{-1, 1}}, {}).ok());
  EXPECT_FALSE(IntStaticFormat::Create(4, 4, {{1, 1}, {1, 1}}, {0, 1, 2, 0}).ok());
  EXPECT_FALSE(IntStaticFormat::Create(4, 4, {{1, 1}, {1, 1}}, {0, 1}).ok());
  EXPECT_FALSE(IntStaticFormat::Create(4, 9, {{1, 1}}, {}).ok());
}

TEST(ShiftedFormatTest, CentresBeforeRounding) {
  // Around 100 the int8 grid is as fine as around 0.
  const auto format = *ShiftedFormat::Create({100, -100}, *IntTokenFormat::Create(2, {}));
  EXPECT_THAT(Round(*format, {101.27f, -100.5f}), ElementsAre(FloatEq(101.27f), FloatEq(-100.5f)));
  EXPECT_FALSE(ShiftedFormat::Create({1}, *IntTokenFormat::Create(2, {})).ok());
  EXPECT_FALSE(ShiftedFormat::Create({1, 2}, format).ok());
  EXPECT_FALSE(ShiftedFormat::Create({1, NAN}, *IntTokenFormat::Create(2, {})).ok());
}

TEST(OutlierPairFormatTest, PairsOnOneScale) {
  const auto format = *OutlierPairFormat::Create(4, 4, 0.5f);
  EXPECT_THAT(Round(*format, {1.3f, -3.4f, 0.6f, 24}), ElementsAre(1.5f, -3.5f, 0, 24));
  EXPECT_FALSE(OutlierPairFormat::Create(3, 4, 1).ok());
  EXPECT_FALSE(OutlierPairFormat::Create(4, 5, 1).ok());
  EXPECT_FALSE(OutlierPairFormat::Create(4, 4, NAN).ok());
}

}  // namespace
}  // namespace tersor
