#include "core/compress/quantize/integer_grid.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

constexpr float kLargestF16 = 65504.0f;
// Widths tried by a search, as shares of the spanning grid's.
constexpr int kWidths = 56;
constexpr float kNarrowest = 0.45f;
constexpr float kWidest = 1.10f;

float Width(int index) { return kNarrowest + (kWidest - kNarrowest) * static_cast<float>(index) / (kWidths - 1); }

float RoundScale(float scale) { return F16ToFloat(FloatToF16(std::clamp(scale, -kLargestF16, kLargestF16))); }

// The grid over [low, high], which holds 0.
GridCandidate Spanning(float low, float high, const GridOptions& options) {
  const float max_code = static_cast<float>(options.max_code());
  GridCandidate grid;
  grid.scale = RoundScale((high - low) / max_code);
  if (grid.scale > 0) grid.zero_point = std::clamp(std::nearbyint(-low / grid.scale), 0.0f, max_code);
  return grid;
}

GridCandidate FitSymmetric(std::span<const float> values, const float* importance, const GridOptions& options) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  const float middle = static_cast<float>(options.middle_code());
  const float spanning = largest / (0.5f * static_cast<float>(options.max_code()));
  const GridCandidate simple{RoundScale(spanning), middle};
  if (options.search == v1::SCALE_SEARCH_MINMAX || simple.scale == 0) return simple;
  // The side with one code more may serve negative or positive values: the sign of the scale says which.
  std::array<GridCandidate, 2 * kWidths + 1> candidates;
  candidates[0] = simple;
  for (int i = 0; i < kWidths; ++i) {
    candidates[1 + 2 * i] = {RoundScale(Width(i) * spanning), middle};
    candidates[2 + 2 * i] = {RoundScale(-Width(i) * spanning), middle};
  }
  return candidates[BestGrid(values.data(), importance, static_cast<int64_t>(values.size()), candidates.data(),
                             candidates.size(), static_cast<float>(options.max_code()))];
}

GridCandidate FitWithZeroPoint(std::span<const float> values, const float* importance, const GridOptions& options) {
  float low = 0, high = 0;
  for (const float value : values) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  const GridCandidate simple = Spanning(low, high, options);
  if (options.search == v1::SCALE_SEARCH_MINMAX || simple.scale == 0) return simple;
  std::array<GridCandidate, 3 * kWidths + 1> candidates;
  candidates[0] = simple;
  for (int i = 0; i < kWidths; ++i) {
    const GridCandidate grid = Spanning(Width(i) * low, Width(i) * high, options);
    const float max_code = static_cast<float>(options.max_code());
    candidates[1 + 3 * i] = grid;
    candidates[2 + 3 * i] = {grid.scale, std::max(grid.zero_point - 1, 0.0f)};
    candidates[3 + 3 * i] = {grid.scale, std::min(grid.zero_point + 1, max_code)};
  }
  return candidates[BestGrid(values.data(), importance, static_cast<int64_t>(values.size()), candidates.data(),
                             candidates.size(), static_cast<float>(options.max_code()))];
}

}  // namespace

GridCandidate FitGrid(std::span<const float> values, std::span<const float> importance, const GridOptions& options) {
  const float* weights = importance.empty() ? nullptr : importance.data();
  return options.symmetric ? FitSymmetric(values, weights, options) : FitWithZeroPoint(values, weights, options);
}

absl::Status CheckWeights(ConstMatrixView weights, const GridOptions& options) {
  const float limit = kLargestF16 * 0.5f * static_cast<float>(options.max_code());
  for (int64_t i = 0; i < weights.rows; ++i) {
    for (int64_t j = 0; j < weights.columns; ++j) {
      const float value = weights.at(i, j);
      // The comparison is false for NaN.
      if (std::abs(value) <= limit) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("weight [", i, ", ", j, "] is ", value,
                       std::isfinite(value) ? ", too large for an F16 scale" : ", not a finite number"));
    }
  }
  return absl::OkStatus();
}

}  // namespace tersor
