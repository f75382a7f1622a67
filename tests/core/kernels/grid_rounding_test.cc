#include "core/kernels/grid_rounding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/tensor/float16.h"
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

TrianglePanels RandomFeedback(int64_t size) {
  TrianglePanels feedback(size);
  const std::vector<float> values = RandomFloats(size * size, 3, 0.1f);
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = i; j < size; ++j) feedback.at(i, j) = i == j ? 1.0f : values[i * size + j];
  }
  return feedback;
}

float FeedbackAt(const TrianglePanels& feedback, int64_t i, int64_t j) { return feedback.column(j)[i * kPanelColumns]; }

TEST(GridRoundingTest, FeedbackMatchesPlainLoops) {
  constexpr int64_t kSize = 200;
  const TrianglePanels feedback = RandomFeedback(kSize);
  for (const int64_t columns : {1, 5, 33, 100}) {
    for (const int64_t first : {0, 7, 60}) {
      const Grids grids(columns, 4);
      const std::vector<float> weights = RandomFloats(columns * kRows, 1), start = RandomFloats(columns * kRows, 2);
      const std::vector<float> importance(columns, 2.0f);
      std::vector<float> targets = start, codes(columns * kRows), errors(columns * kRows), losses(kRows);
      RoundWithFeedback({first, columns, &feedback, importance.data(), weights.data(), targets.data()}, grids.View(),
                        codes.data(), errors.data(), losses.data());
      for (int64_t row = 0; row < kRows; ++row) {
        double loss = 0;
        for (int64_t k = 0; k < columns; ++k) {
          const int64_t at = k * kRows + row;
          // The fast errors are fed back here too, so that a code on the edge does not make the two drift apart.
          double target = start[at];
          for (int64_t i = 0; i < k; ++i)
            target += errors[i * kRows + row] * FeedbackAt(feedback, first + i, first + k);
          ASSERT_NEAR(targets[at], target, 1e-5);
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

TEST(GridRoundingTest, FeedbackOfEarlierColumnsMatchesPlainLoops) {
  constexpr int64_t kSize = 300;
  const TrianglePanels feedback = RandomFeedback(kSize);
  const std::vector<float> errors = RandomFloats(kSize * kRows, 1), start = RandomFloats(kSize * kRows, 2);
  for (const int64_t begin : {0, 20}) {
    for (const int64_t first : {20, 150, 193}) {
      const int64_t count = kSize - 193;
      std::vector<float> targets(start.begin(), start.begin() + count * kRows);
      AddFeedback(feedback, begin, first, first, count, errors.data() + begin * kRows, targets.data());
      for (int64_t at = 0; at < count * kRows; ++at) {
        double expected = start[at];
        for (int64_t k = begin; k < first; ++k) {
          expected += static_cast<double>(errors[k * kRows + at % kRows]) * FeedbackAt(feedback, k, first + at / kRows);
        }
        ASSERT_NEAR(targets[at], expected, 1e-4);
      }
    }
  }
}

TEST(GridRoundingTest, SolvedFeedbackGivesTheRightSideBack) {
  constexpr int64_t kSize = 150;
  const TrianglePanels feedback = RandomFeedback(kSize);
  for (const int64_t first : {0, 9}) {
    for (const int64_t count : {1, 20, 141}) {
      const std::vector<float> right = RandomFloats(count * kRows, 4);
      std::vector<float> x = right;
      SolveFeedback(feedback, first, count, x.data());
      for (int64_t at = 0; at < count * kRows; ++at) {
        double sum = 0;
        for (int64_t k = 0; k <= at / kRows; ++k) {
          sum += static_cast<double>(x[k * kRows + at % kRows]) * FeedbackAt(feedback, first + k, first + at / kRows);
        }
        ASSERT_NEAR(sum, right[at], 1e-4);
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

TEST(GridRoundingTest, BestGridsMatchPlainLoops) {
  for (const int64_t columns : {1, 7, 64}) {
    for (const int64_t candidates : {1, 4, 21}) {
      const std::vector<float> values = RandomFloats(columns * kRows, 4);
      std::vector<float> importance = RandomFloats(columns, 5);
      for (float& value : importance) value = std::abs(value) + 0.1f;
      const Grids grids(candidates, 4);
      for (const bool weighted : {false, true}) {
        int32_t best[kRows];
        BestGrids(values.data(), weighted ? importance.data() : nullptr, columns,
                  {candidates, grids.scales.data(), grids.zero_points.data()}, grids.max_code, best);
        for (int64_t row = 0; row < kRows; ++row) {
          std::vector<double> errors(candidates);
          for (int64_t c = 0; c < candidates; ++c) {
            const int64_t at = c * kRows + row;
            for (int64_t k = 0; k < columns; ++k) {
              const double value = values[k * kRows + row];
              const double code = grids.scales[at] == 0 ? grids.zero_points[at] : grids.Code(at, value);
              const double miss = value - grids.Value(at, static_cast<float>(code));
              errors[c] += (weighted ? importance[k] : 1) * miss * miss;
            }
          }
          ASSERT_LE(errors[best[row]], *std::min_element(errors.begin(), errors.end()) * (1 + 1e-4) + 1e-6);
        }
      }
    }
  }
}

TEST(GridRoundingTest, LeastSquaresScalesMatchPlainLoops) {
  for (const int64_t columns : {1, 7, 64}) {
    const std::vector<float> values = RandomFloats(columns * kRows, 4);
    std::vector<float> importance = RandomFloats(columns, 5);
    for (float& value : importance) value = std::abs(value) + 0.1f;
    const Grids grids(1, 4);
    for (const bool weighted : {false, true}) {
      float fitted[kRows];
      LeastSquaresScales(values.data(), weighted ? importance.data() : nullptr, columns, grids.scales.data(),
                         grids.zero_points.data(), grids.max_code, fitted);
      for (int64_t row = 0; row < kRows; ++row) {
        double product = 0, square = 0;
        for (int64_t k = 0; k < columns; ++k) {
          const double value = values[k * kRows + row], weight = weighted ? importance[k] : 1;
          const double steps = grids.scales[row] == 0 ? 0 : grids.Code(row, value) - grids.zero_points[row];
          product += weight * value * steps;
          square += weight * steps * steps;
        }
        const double expected = square > 0 ? product / square : grids.scales[row];
        ASSERT_NEAR(fitted[row], expected, 1e-4 * (1 + std::abs(expected)));
      }
    }
  }
}

TEST(GridRoundingTest, RoundToGridMatchesPlainLoops) {
  for (const int64_t count : {1, 7, 32, 100}) {
    const std::vector<float> values = RandomFloats(count, 4);
    for (const float scale : {0.0f, 0.1f, -0.3f}) {
      std::vector<uint8_t> codes(count);
      RoundToGrid(values.data(), count, {scale, 8}, 15, codes.data());
      for (int64_t i = 0; i < count; ++i) {
        const double place = scale == 0 ? 8 : std::nearbyint(values[i] / scale + 8);
        ASSERT_NEAR((codes[i] - 8) * scale, (std::min(std::max(place, 0.0), 15.0) - 8) * scale, 1e-4);
      }
    }
  }
}

TEST(GridRoundingTest, PanelsOnOneGridARowMatchPlainLoops) {
  for (const int64_t columns : {1, 3, 64}) {
    const Grids grids(1, 4);
    const std::vector<float> values = RandomFloats(columns * kRows, 5);
    std::vector<float> codes(values.size()), rounded(values.size());
    RoundPanelToGrids(values.data(), columns, grids.scales.data(), grids.zero_points.data(), grids.max_code,
                      codes.data(), rounded.data());
    for (int64_t i = 0; i < columns * kRows; ++i) {
      const int64_t row = i % kRows;
      const double place = values[i] * static_cast<double>(grids.inverse_scales[row]) + grids.zero_points[row];
      const bool edge = std::abs(place - std::floor(place) - 0.5) < 1e-3;
      if (!edge) {
        ASSERT_EQ(codes[i], grids.Code(row, values[i])) << i;
      }
      ASSERT_EQ(rounded[i], grids.Value(row, codes[i])) << i;
    }
  }
}

TEST(GridRoundingTest, FloatWeightsKeepTheirTargets) {
  constexpr int64_t kColumns = 40;
  const TrianglePanels feedback = RandomFeedback(kColumns);
  const Grids grids(kColumns, 3);
  const std::vector<float> weights = RandomFloats(kColumns * kRows, 1), importance(kColumns, 1.0f);
  std::vector<float> floats(kColumns * kRows), targets = weights, codes(weights.size()), errors(weights.size());
  for (size_t i = 0; i < floats.size(); i += 7) floats[i] = 1;
  std::vector<float> losses(kRows);
  RoundWithFeedback({0, kColumns, &feedback, importance.data(), weights.data(), targets.data(), floats.data()},
                    grids.View(), codes.data(), errors.data(), losses.data());
  for (int64_t row = 0; row < kRows; ++row) {
    double loss = 0;
    for (int64_t k = 0; k < kColumns; ++k) {
      const int64_t at = k * kRows + row;
      const double value = floats[at] != 0 ? targets[at] : grids.Value(at, codes[at]);
      ASSERT_NEAR(errors[at], weights[at] - value, 1e-6) << k << " " << row;
      loss += (targets[at] - value) * (targets[at] - value);
    }
    ASSERT_NEAR(losses[row], loss, 1e-5 * (1 + loss));
  }
}

TEST(GridRoundingTest, GroupsMatchPlainLoops) {
  constexpr int64_t kGroups = 6;
  for (const int64_t group : {1, 3, 8, 16, 17, 32, 64, 577}) {
    std::vector<float> values = RandomFloats(kGroups * group, 9);
    for (int64_t i = 0; i < group; ++i) {
      values[i] = std::abs(values[i]);
      values[group + i] = -std::abs(values[group + i]);
      values[2 * group + i] = i % 2 == 0 ? 0.0f : -0.0f;
    }
    std::vector<float> low(kGroups), high(kGroups);
    const GroupedRow row = {values.data(), kGroups, group};
    GroupRanges(row, low.data(), high.data());
    const float scales[kGroups] = {0.1f, -0.2f, 0.0f, 0.05f, 1.5f, -0.01f}, zero_points[kGroups] = {0, 15, 8, 8, 7, 3};
    std::vector<uint8_t> codes(values.size());
    RoundGroupsToGrids(row, scales, zero_points, 15, codes.data());
    for (int64_t g = 0; g < kGroups; ++g) {
      const std::span<const float> own = std::span<const float>(values).subspan(g * group, group);
      EXPECT_EQ(low[g], std::min(0.0f, *std::min_element(own.begin(), own.end()))) << group << " " << g;
      EXPECT_EQ(high[g], std::max(0.0f, *std::max_element(own.begin(), own.end()))) << group << " " << g;
      for (int64_t i = 0; i < group; ++i) {
        const double place = (scales[g] == 0 ? 0 : own[i] * static_cast<double>(1 / scales[g])) + zero_points[g];
        if (std::abs(place - std::floor(place) - 0.5) < 1e-3) continue;
        ASSERT_EQ(codes[g * group + i], std::clamp(std::nearbyint(place), 0.0, 15.0)) << group << " " << g;
      }
    }
  }
}

TEST(GridRoundingTest, RoundToF16MatchesTheScalarConversion) {
  std::vector<float> values = RandomFloats(1003, 6, 3.0f);
  for (size_t i = 0; i < values.size(); ++i) values[i] *= std::ldexp(1.0f, static_cast<int>(i % 40) - 24);
  values[0] = 1e6f;
  values[17] = -1e6f;
  std::vector<float> rounded = values;
  RoundToF16(rounded.data(), static_cast<int64_t>(rounded.size()));
  for (size_t i = 0; i < values.size(); ++i) {
    ASSERT_EQ(rounded[i], F16ToFloat(FloatToF16(std::min(std::max(values[i], -65504.0f), 65504.0f)))) << values[i];
  }
}

}  // namespace
}  // namespace tersor
