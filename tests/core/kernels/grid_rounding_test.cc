#include "core/kernels/grid_rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

constexpr int64_t kRows = kPanelRows;

// Grids of all columns and rows, each its own; some scales are negative, some zero.
struct Grids {
  std::vector<float> scales, inverse_scales, zero_points;
  float max_code;

  Grids(int64_t columns, int bits) : max_code(static_cast<float>((1 << bits) - 1)) {
    scales = RandomFloats(columns * kRows, 11);
    for (int64_t i = 0; i < columns * kRows; ++i) {
      scales[i] = i % 97 == 5 ? 0 : scales[i] * 0.3f + (scales[i] < 0 ? -0.02f : 0.02f);
      inverse_scales.push_back(scales[i] == 0 ? 0 : 1 / scales[i]);
      zero_points.push_back(static_cast<float>(i % (1 << bits)));
    }
  }
  PanelGrid View() const { return {scales.data(), inverse_scales.data(), zero_points.data(), kRows, max_code}; }
  float Code(int64_t at, double value) const {
    const double code = std::nearbyint(value * inverse_scales[at] + zero_points[at]);
    return static_cast<float>(std::min<double>(std::max(code, 0.0), max_code));
  }
  float Value(int64_t at, float code) const { return (code - zero_points[at]) * scales[at]; }
};

TEST(GridRoundingTest, FeedbackMatchesPlainLoops) {
  for (const int64_t columns : {1, 5, 33}) {
    for (const int64_t held : {columns, columns + 3}) {
      const Grids grids(held, 4);
      const std::vector<float> weights = RandomFloats(held * kRows, 1), start = RandomFloats(held * kRows, 2);
      const std::vector<float> feedback = RandomFloats(columns * (held + 2), 3, 0.2f);
      const std::vector<float> importance(held, 2.0f);
      std::vector<float> targets = start, codes(held * kRows), errors(held * kRows), losses(kRows);
      RoundWithFeedback({columns, held, weights.data(), targets.data(), feedback.data(), held + 2, importance.data()},
                        grids.View(), codes.data(), errors.data(), losses.data());
      for (int64_t row = 0; row < kRows; ++row) {
        double loss = 0;
        for (int64_t k = 0; k < held; ++k) {
          const int64_t at = k * kRows + row;
          // The fast errors are fed back here too, so that a code on the edge does not make the two drift apart.
          double target = start[at];
          for (int64_t i = 0; i < std::min(k, columns); ++i)
            target += errors[i * kRows + row] * feedback[i * (held + 2) + k];
          ASSERT_NEAR(targets[at], target, 1e-5);
          if (k >= columns) continue;
          const double place = targets[at] * static_cast<double>(grids.inverse_scales[at]) + grids.zero_points[at];
          const bool edge = std::abs(place - std::floor(place) - 0.5) < 1e-3;
          if (!edge) {
            ASSERT_EQ(codes[at], grids.Code(at, targets[at])) << columns << " " << k << " " << row;
          }
          ASSERT_NEAR(errors[at], weights[at] - grids.Value(at, codes[at]), 1e-6);
          const double miss = targets[at] - grids.Value(at, codes[at]);
          loss += 2.0 * miss * miss;
        }
        ASSERT_NEAR(losses[row], loss, 1e-5 * (1 + loss));
      }
    }
  }
}

double Loss(int64_t columns, const std::vector<float>& moment, const std::vector<float>& errors, int64_t row) {
  double loss = 0;
  for (int64_t i = 0; i < columns; ++i) {
    for (int64_t j = 0; j < columns; ++j) {
      loss += static_cast<double>(errors[i * kRows + row]) * moment[i * columns + j] * errors[j * kRows + row];
    }
  }
  return loss;
}

TEST(GridRoundingTest, DescentEndsWhereNoSingleCodeImproves) {
  constexpr int64_t kColumns = 13;
  const Grids grids(kColumns, 3);
  const std::vector<float> weights = RandomFloats(kColumns * kRows, 1), x = RandomFloats(40 * kColumns, 2);
  std::vector<float> moment(kColumns * kColumns), inverse;
  for (int64_t i = 0; i < kColumns; ++i) {
    for (int64_t j = 0; j < kColumns; ++j) {
      for (int64_t t = 0; t < 40; ++t) moment[i * kColumns + j] += x[t * kColumns + i] * x[t * kColumns + j];
    }
    inverse.push_back(1 / moment[i * kColumns + i]);
  }
  std::vector<float> codes(kColumns * kRows), errors(kColumns * kRows), gradient(kColumns * kRows);
  for (int64_t at = 0; at < kColumns * kRows; ++at) {
    codes[at] = grids.Code(at, weights[at]);
    errors[at] = weights[at] - grids.Value(at, codes[at]);
  }
  const auto fill_gradient = [&](std::vector<float>& out) {
    for (int64_t k = 0; k < kColumns; ++k) {
      for (int64_t row = 0; row < kRows; ++row) {
        double sum = 0;
        for (int64_t j = 0; j < kColumns; ++j)
          sum += static_cast<double>(moment[k * kColumns + j]) * errors[j * kRows + row];
        out[k * kRows + row] = static_cast<float>(sum);
      }
    }
  };
  fill_gradient(gradient);
  const std::vector<float> first_codes = codes, first_errors = errors;
  for (int sweep = 0; sweep < 30; ++sweep) {
    DescendCoordinates(kColumns, moment.data(), inverse.data(), grids.View(), codes.data(), errors.data(),
                       gradient.data());
  }
  EXPECT_NE(codes, first_codes);
  std::vector<float> expected_gradient(kColumns * kRows);
  fill_gradient(expected_gradient);
  for (int64_t row = 0; row < kRows; ++row) {
    const double loss = Loss(kColumns, moment, errors, row);
    EXPECT_LE(loss, Loss(kColumns, moment, first_errors, row) * (1 + 1e-5));
    for (int64_t k = 0; k < kColumns; ++k) {
      const int64_t at = k * kRows + row;
      ASSERT_NEAR(gradient[at], expected_gradient[at], 1e-3);
      ASSERT_NEAR(errors[at], weights[at] - grids.Value(at, codes[at]), 1e-5);
      for (const float step : {-1.0f, 1.0f}) {
        if (codes[at] + step < 0 || codes[at] + step > grids.max_code) continue;
        std::vector<float> other = errors;
        other[at] = weights[at] - grids.Value(at, codes[at] + step);
        ASSERT_GE(Loss(kColumns, moment, other, row), loss * (1 - 1e-4) - 1e-6);
      }
    }
  }
}

TEST(GridRoundingTest, BestGridAndRoundToGridMatchPlainLoops) {
  for (const int64_t count : {1, 7, 32, 64, 100}) {
    const std::vector<float> values = RandomFloats(count, 4);
    std::vector<float> importance = RandomFloats(count, 5);
    for (float& value : importance) value = std::abs(value) + 0.1f;
    std::vector<GridCandidate> candidates;
    for (int i = 0; i < 20; ++i) candidates.push_back({(i % 2 == 0 ? 1 : -1) * 0.02f * static_cast<float>(i), 8});
    for (const bool weighted : {false, true}) {
      std::vector<double> errors;
      for (const GridCandidate& grid : candidates) {
        std::vector<uint8_t> codes(count);
        RoundToGrid(values.data(), count, grid, 15, codes.data());
        double error = 0;
        for (int64_t i = 0; i < count; ++i) {
          const double place = grid.scale == 0 ? 8 : std::nearbyint(values[i] / grid.scale + 8);
          const double value = (std::min(std::max(place, 0.0), 15.0) - 8) * grid.scale;
          EXPECT_NEAR((codes[i] - 8) * grid.scale, value, 1e-4 + 1e-3 * std::abs(grid.scale));
          error += (weighted ? importance[i] : 1) * (values[i] - value) * (values[i] - value);
        }
        errors.push_back(error);
      }
      const int64_t best = BestGrid(values.data(), weighted ? importance.data() : nullptr, count, candidates.data(),
                                    static_cast<int64_t>(candidates.size()), 15);
      EXPECT_LE(errors[best], *std::min_element(errors.begin(), errors.end()) * (1 + 1e-4) + 1e-6);
    }
  }
}

}  // namespace
}  // namespace tersor
