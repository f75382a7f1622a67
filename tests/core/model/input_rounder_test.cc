// Fast rounding of inputs against the formats themselves: the same bits.
#include "core/model/input_rounder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <utility>

#include "core/encoding/code_book.h"
#include "core/encoding/float_token_format.h"
#include "core/encoding/int_static_format.h"
#include "core/encoding/int_token_format.h"
#include "core/encoding/outlier_pair_format.h"
#include "core/encoding/shifted_format.h"

namespace tersor {
namespace {

// Of very different magnitudes, with ties, zeros and a row of nothing else.
std::vector<float> Inputs(int64_t rows, int64_t width, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x;
  for (int64_t i = 0; i < rows * width; ++i) {
    const uint32_t kind = random() % 16;
    const float value = normal(random);
    x.push_back(kind == 0 ? 0 : kind == 1 ? 40 * value : kind < 5 ? std::round(value * 4) / 8 : value);
  }
  std::fill_n(x.begin(), width, 0.0f);
  return x;
}

std::vector<std::pair<const char*, ActivationFormatPtr>> Formats(int64_t width) {
  std::vector<std::pair<const char*, ActivationFormatPtr>> formats;
  for (const bool symmetric : {true, false}) {
    for (const int bits : {2, 4, 6, 8}) {
      formats.push_back({"int-token", *IntTokenFormat::Create(width, {.bits = bits, .symmetric = symmetric})});
    }
    formats.push_back({"groups", *IntTokenFormat::Create(width, {.symmetric = symmetric, .group_size = width / 2})});
    formats.push_back({"outliers", *IntTokenFormat::Create(width, {.symmetric = symmetric, .outlier_threshold = 2})});
    for (const int bits : {4, 8}) {
      formats.push_back({"fixed", *IntStaticFormat::Create(width, bits, {SpanStaticGrid(-2, 3, bits, symmetric)}, {})});
    }
  }
  formats.push_back({"nothing", *IntStaticFormat::Create(width, 8, {{0, 3}}, {})});
  std::vector<uint16_t> clusters(width);
  for (int64_t i = 0; i < width; ++i) clusters[i] = i % 3;
  formats.push_back({"clusters", *IntStaticFormat::Create(width, 4, {{0.5f, 8}, {0.25f, 0}, {0, 3}}, clusters)});
  for (const int bits : {4, 8}) {
    for (const float scale : {0.0f, 0.01f, 0.125f}) {
      formats.push_back({"pairs", *OutlierPairFormat::Create(width, bits, scale)});
    }
  }
  for (const CodeBook* book : CodeBooks()) {
    for (const ScaleForm scales : {ScaleForm::kF32, ScaleForm::kE8m0, ScaleForm::kE4m3}) {
      formats.push_back({"floats", *FloatTokenFormat::Create(width, {book, -1, scales})});
      formats.push_back({"float groups", *FloatTokenFormat::Create(width, {book, width / 2, scales})});
    }
  }
  const std::vector<float> shifts = Inputs(2, width, 9);
  for (size_t i = 0, count = formats.size(); i < count; ++i) {
    formats.push_back({"shifted", *ShiftedFormat::Create({shifts.begin() + width, shifts.end()}, formats[i].second)});
  }
  return formats;
}

TEST(InputRounderTest, GivesTheBitsOfTheFormat) {
  constexpr int64_t kRows = 40;
  for (const int64_t width : {4, 6, 34, 96, 150}) {
    const std::vector<float> x = Inputs(kRows, width, 1);
    for (const auto& [name, format] : Formats(width)) {
      std::vector<float> expected(x.size()), rounded(x.size());
      format->Round(x.data(), kRows, expected.data());
      InputRounder::Create(format)->Round(x.data(), width, kRows, rounded.data());
      for (size_t i = 0; i < x.size(); ++i) {
        ASSERT_EQ(rounded[i], expected[i])
            << name << " of " << format->bits() << " bits, width " << width << ": " << x[i];
      }
    }
  }
}

TEST(InputRounderTest, NamesIntegers) {
  const auto name = [](const ActivationFormatPtr& format) { return IntegerInputsName(*IntegerInputsOf(*format)); };
  EXPECT_EQ(name(*IntTokenFormat::Create(8, {})), "int8 per token");
  EXPECT_EQ(name(*IntTokenFormat::Create(8, {.bits = 6, .group_size = 4})), "int6 in groups");
  EXPECT_EQ(name(*IntTokenFormat::Create(8, {.outlier_threshold = 6})), "int8 per token, outliers in float32");
  EXPECT_EQ(name(*IntStaticFormat::Create(8, 8, {{1, 0}}, {})), "int8 per layer");
  EXPECT_EQ(name(*OutlierPairFormat::Create(8, 4, 1)), "int4 pairs");
  const auto token = *IntTokenFormat::Create(1, {});
  EXPECT_EQ(name(*ShiftedFormat::Create({1}, token)), "int8 per token, shifted");
  // Wider than 8 bits, or on several grids.
  EXPECT_FALSE(IntegerInputsOf(**OutlierPairFormat::Create(8, 8, 1)).has_value());
  EXPECT_FALSE(IntegerInputsOf(**IntStaticFormat::Create(2, 8, {{1, 0}, {2, 0}}, {0, 1})).has_value());
}

}  // namespace
}  // namespace tersor
