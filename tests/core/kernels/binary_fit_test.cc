#include "core/kernels/binary_fit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <span>
#include <vector>

#include "core/tensor/float16.h"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

struct PanelFit {
  std::vector<int32_t> codes;
  std::vector<float> scales;
};

PanelFit Fit(const std::vector<float>& panel, std::span<const float> importance, int planes, int rounds) {
  PanelFit fit{std::vector<int32_t>(panel.size()), std::vector<float>(planes * kPanelRows)};
  FitBinaryPanel(panel.data(), importance, planes, rounds, fit.codes.data(), fit.scales.data());
  return fit;
}

std::vector<float> Ones(int64_t columns) { return std::vector<float>(columns, 1.0f); }

// As far apart as the squares of real inputs are.
std::vector<float> UnlikeImportance(int64_t columns, uint32_t seed) {
  std::vector<float> importance = RandomFloats(columns, seed);
  for (float& share : importance) share = share * share + 0.01f;
  importance[columns / 3] = 40;
  return importance;
}

BinaryCodes RowOf(const PanelFit& fit, int64_t row) {
  BinaryCodes codes;
  for (size_t at = row; at < fit.codes.size(); at += kPanelRows) {
    codes.codes.push_back(static_cast<uint8_t>(fit.codes[at]));
  }
  for (size_t at = row; at < fit.scales.size(); at += kPanelRows) codes.scales.push_back(fit.scales[at]);
  return codes;
}

std::vector<float> RowOf(const std::vector<float>& panel, int64_t row) {
  std::vector<float> values;
  for (size_t at = row; at < panel.size(); at += kPanelRows) values.push_back(panel[at]);
  return values;
}

double ValueOf(uint8_t code, const std::vector<float>& scales) {
  double value = 0;
  for (size_t plane = 0; plane < scales.size(); ++plane) value += ((code >> plane) & 1 ? 1.0 : -1.0) * scales[plane];
  return value;
}

double ErrorOf(const std::vector<float>& values, const std::vector<float>& importance, const BinaryCodes& fit) {
  double error = 0;
  for (size_t k = 0; k < values.size(); ++k) {
    error += importance[k] * std::pow(values[k] - ValueOf(fit.codes[k], fit.scales), 2);
  }
  return error;
}

// Rows of unlike kinds: some are constant, zero, huge, or have an outlier.
std::vector<float> UnlikeRows(int64_t columns, uint32_t seed) {
  std::vector<float> panel = RandomFloats(columns * kPanelRows, seed);
  for (int64_t k = 0; k < columns; ++k) {
    float* rows = panel.data() + k * kPanelRows;
    rows[3] = 0;
    rows[5] = 0.25f;
    rows[9] *= 1e4f;
    rows[11] *= 1e-3f;
    rows[20] = k % 2 == 0 ? 1.0f : -1.0f;
  }
  panel[(columns / 2) * kPanelRows + 17] = 50;
  return panel;
}

TEST(BinaryFitTest, GreedyFitMatchesThePlainOne) {
  for (const int64_t columns : {1, 3, 16, 64, 75}) {
    for (int planes = 1; planes <= kMostSignPlanes; ++planes) {
      const std::vector<float> panel = UnlikeRows(columns, 1);
      const std::vector<float> ones = Ones(columns);
      const PanelFit fit = Fit(panel, ones, planes, 0);
      for (int64_t row = 0; row < kPanelRows; ++row) {
        const std::vector<float> values = RowOf(panel, row);
        const BinaryCodes plain = reference::FitBinaryCodes(values, ones, planes, 0), fast = RowOf(fit, row);
        for (int plane = 0; plane < planes; ++plane) {
          // Sums in float: the last bit of an F16 number may differ.
          ASSERT_NEAR(fast.scales[plane], plain.scales[plane], 2e-3f * std::abs(plain.scales[0]))
              << columns << " " << row;
        }
        ASSERT_LE(ErrorOf(values, ones, fast), ErrorOf(values, ones, plain) * 1.02 + 1e-6)
            << columns << " " << planes << " " << row;
      }
    }
  }
}

// The two may part where codes are equally good, and then end in different minima: no row may lose by the rounds, and
// all of them together are held to `slack` times the plain fit.
void CompareWithPlain(int64_t columns, int planes, const std::vector<float>& importance, double slack) {
  double plain_sum = 0, fast_sum = 0;
  for (uint32_t seed = 0; seed < 4; ++seed) {
    const std::vector<float> panel = UnlikeRows(columns, seed);
    const PanelFit fit = Fit(panel, importance, planes, 15);
    for (int64_t row = 0; row < kPanelRows; ++row) {
      const std::vector<float> values = RowOf(panel, row);
      double squares = 1e-12;
      for (size_t k = 0; k < values.size(); ++k) squares += importance[k] * static_cast<double>(values[k]) * values[k];
      const auto error = [&](const BinaryCodes& codes) { return ErrorOf(values, importance, codes) / squares; };
      const double plain = error(reference::FitBinaryCodes(values, importance, planes, 15));
      const double fast = error(RowOf(fit, row));
      ASSERT_LE(fast, error(reference::FitBinaryCodes(values, importance, planes, 0)) * 1.001 + 1e-6)
          << columns << " " << planes << " " << row;
      plain_sum += plain;
      fast_sum += fast;
    }
  }
  EXPECT_LE(fast_sum, plain_sum * slack + 1e-4) << columns << " " << planes;
}

TEST(BinaryFitTest, AlternatingIsAsGoodAsThePlainOne) {
  for (const int64_t columns : {1, 7, 16, 64, 129}) {
    for (int planes = 1; planes <= kMostSignPlanes; ++planes) {
      CompareWithPlain(columns, planes, Ones(columns), 1.01);
      // A few columns decide here, so that minima lie further apart.
      CompareWithPlain(columns, planes, UnlikeImportance(columns, 5), 1.1);
    }
  }
}

TEST(BinaryFitTest, ErrorsFallWhereTheyCount) {
  const std::vector<float> panel = RandomFloats(64 * kPanelRows, 11), importance = UnlikeImportance(64, 12);
  const PanelFit equal = Fit(panel, Ones(64), 3, 15), weighed = Fit(panel, importance, 3, 15);
  double equal_error = 0, weighed_error = 0;
  for (int64_t row = 0; row < kPanelRows; ++row) {
    equal_error += ErrorOf(RowOf(panel, row), importance, RowOf(equal, row));
    weighed_error += ErrorOf(RowOf(panel, row), importance, RowOf(weighed, row));
  }
  EXPECT_LT(weighed_error, 0.8 * equal_error);
}

TEST(BinaryFitTest, CodesAreTheNearestForTheScalesAndScalesAreF16) {
  const std::vector<float> panel = UnlikeRows(64, 7);
  for (int planes = 1; planes <= kMostSignPlanes; ++planes) {
    const PanelFit fit = Fit(panel, Ones(64), planes, 15);
    for (const float scale : fit.scales) ASSERT_EQ(scale, F16ToFloat(FloatToF16(scale)));
    for (int64_t row = 0; row < kPanelRows; ++row) {
      const BinaryCodes codes = RowOf(fit, row);
      const std::vector<float> values = RowOf(panel, row);
      for (size_t k = 0; k < values.size(); ++k) {
        double least = std::abs(values[k] - ValueOf(0, codes.scales));
        for (int code = 1; code < 1 << planes; ++code) {
          least = std::min(least, std::abs(values[k] - ValueOf(static_cast<uint8_t>(code), codes.scales)));
        }
        ASSERT_LE(std::abs(values[k] - ValueOf(codes.codes[k], codes.scales)),
                  least * 1.00001 + 1e-6 * std::abs(values[k]));
      }
    }
  }
}

}  // namespace
}  // namespace tersor
