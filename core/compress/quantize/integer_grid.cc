#include "core/compress/quantize/integer_grid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/kernels/scratch.h"

namespace tersor {
namespace {

constexpr float kLargestF16 = 65504.0f;
// Widths tried by a search, as shares of the spanning grid's.
constexpr int kWidths = 56;
constexpr float kNarrowest = 0.45f;
constexpr float kWidest = 1.10f;
// Rounds of refitting the scale that a search found.
constexpr int kRefits = 2;

float Width(int index) { return kNarrowest + (kWidest - kNarrowest) * static_cast<float>(index) / (kWidths - 1); }

using PanelRow = std::array<float, kPanelRows>;

// The least and the largest value of each row, and 0.
void FindRange(const float* values, int64_t columns, PanelRow& low, PanelRow& high) {
  low.fill(0);
  high.fill(0);
  for (int64_t k = 0; k < columns; ++k) {
    for (int64_t row = 0; row < kPanelRows; ++row) {
      const float value = values[k * kPanelRows + row];
      low[row] = std::min(low[row], value);
      high[row] = std::max(high[row], value);
    }
  }
}

// The side with one code more serves the value of the largest magnitude, whose code is 0.
float SymmetricScale(float low, float high, float middle) { return (high > -low ? -high : 0 - low) / middle; }

float ZeroPoint(float low, float scale, float max_code) {
  return scale > 0 ? std::clamp(std::nearbyint(-low / scale), 0.0f, max_code) : 0.0f;
}

// Of magnitudes whose spanning grid has an F16 scale.
float LargestWeight(const GridOptions& options) { return kLargestF16 * 0.5f * static_cast<float>(options.max_code()); }

// Grids on their way to being tried.
class Candidates {
 public:
  explicit Candidates(int64_t most) {
    scales_.reserve(most * kPanelRows);
    zero_points_.reserve(most * kPanelRows);
  }

  // Scales times `width`.
  void AddSymmetric(const PanelRow& spanning, float width, float middle) {
    for (const float scale : spanning) scales_.push_back(width * scale);
    zero_points_.insert(zero_points_.end(), kPanelRows, middle);
    RoundToF16(scales_.data() + scales_.size() - kPanelRows, kPanelRows);
  }
  // Over the range times `width`, the zero point moved by `shift`.
  void AddSpanning(const PanelRow& low, const PanelRow& high, float width, float shift, float max_code) {
    const size_t at = scales_.size();
    for (int64_t row = 0; row < kPanelRows; ++row) scales_.push_back(width * (high[row] - low[row]) / max_code);
    RoundToF16(scales_.data() + at, kPanelRows);
    for (int64_t row = 0; row < kPanelRows; ++row) {
      zero_points_.push_back(
          std::clamp(ZeroPoint(width * low[row], scales_[at + row], max_code) + shift, 0.0f, max_code));
    }
  }
  PanelGrids Best(const float* values, int64_t columns, const float* importance, float max_code) const {
    std::array<int32_t, kPanelRows> best{};
    const int64_t count = static_cast<int64_t>(scales_.size()) / kPanelRows;
    if (count > 1) {
      BestGrids(values, importance, columns, {count, scales_.data(), zero_points_.data()}, max_code, best.data());
    }
    PanelGrids grids;
    for (int64_t row = 0; row < kPanelRows; ++row) {
      grids.scales[row] = scales_[best[row] * kPanelRows + row];
      grids.zero_points[row] = zero_points_[best[row] * kPanelRows + row];
    }
    return grids;
  }

 private:
  std::vector<float> scales_, zero_points_;
};

// Gives rows the scale that is best for their codes, where it is better once it is rounded to F16.
void RefitScales(const float* values, int64_t columns, const float* importance, float max_code, PanelGrids& grids) {
  std::array<float, 2 * kPanelRows> scales, zero_points;
  std::copy(grids.scales.begin(), grids.scales.end(), scales.begin());
  std::copy(grids.zero_points.begin(), grids.zero_points.end(), zero_points.begin());
  std::copy(grids.zero_points.begin(), grids.zero_points.end(), zero_points.begin() + kPanelRows);
  float* fitted = scales.data() + kPanelRows;
  LeastSquaresScales(values, importance, columns, grids.scales.data(), grids.zero_points.data(), max_code, fitted);
  RoundToF16(fitted, kPanelRows);
  std::array<int32_t, kPanelRows> best;
  BestGrids(values, importance, columns, {2, scales.data(), zero_points.data()}, max_code, best.data());
  for (int64_t row = 0; row < kPanelRows; ++row) grids.scales[row] = scales[best[row] * kPanelRows + row];
}

// Whether all magnitudes are at most the limit; false for NaN. Several counts, so that compilers turn them into
// vectors.
bool WithinLimit(const float* row, int64_t count, float limit) {
  constexpr int64_t kCounts = 8;
  std::array<int32_t, kCounts> beyond{};
  int64_t i = 0;
  for (; i + kCounts <= count; i += kCounts) {
    for (int64_t k = 0; k < kCounts; ++k) beyond[k] += std::abs(row[i + k]) <= limit ? 0 : 1;
  }
  for (; i < count; ++i) beyond[0] += std::abs(row[i]) <= limit ? 0 : 1;
  return std::all_of(beyond.begin(), beyond.end(), [](int32_t n) { return n == 0; });
}

}  // namespace

PanelGrids FitGrids(const float* values, int64_t columns, const float* importance, const GridOptions& options) {
  const float max_code = static_cast<float>(options.max_code());
  const bool search = options.search != v1::SCALE_SEARCH_MINMAX;
  PanelRow low, high;
  FindRange(values, columns, low, high);
  Candidates candidates(search ? 3 * kWidths + 1 : 1);
  if (options.symmetric) {
    const float middle = static_cast<float>(options.middle_code());
    PanelRow spanning;
    for (int64_t row = 0; row < kPanelRows; ++row) {
      spanning[row] = SymmetricScale(low[row], high[row], middle);
    }
    candidates.AddSymmetric(spanning, 1, middle);
    for (float& scale : spanning) scale *= middle / (0.5f * max_code);
    for (int i = 0; search && i < kWidths; ++i) {
      candidates.AddSymmetric(spanning, Width(i), middle);
      candidates.AddSymmetric(spanning, -Width(i), middle);
    }
  } else {
    candidates.AddSpanning(low, high, 1, 0, max_code);
    for (int i = 0; search && i < kWidths; ++i) {
      for (const float shift : {0.0f, -1.0f, 1.0f}) candidates.AddSpanning(low, high, Width(i), shift, max_code);
    }
  }
  PanelGrids grids = candidates.Best(values, columns, importance, max_code);
  for (int round = 0; search && round < kRefits; ++round) RefitScales(values, columns, importance, max_code, grids);
  return grids;
}

GridCandidate FitGrid(std::span<const float> values, std::span<const float> importance, const GridOptions& options) {
  std::vector<float> panel(values.size() * kPanelRows);
  for (size_t k = 0; k < values.size(); ++k) panel[k * kPanelRows] = values[k];
  const PanelGrids grids = FitGrids(panel.data(), static_cast<int64_t>(values.size()),
                                    importance.empty() ? nullptr : importance.data(), options);
  return {grids.scales[0], grids.zero_points[0]};
}

bool RoundRowToSpans(std::span<const float> values, const GridOptions& options, float* scales, float* zero_points,
                     uint8_t* codes) {
  const float max_code = static_cast<float>(options.max_code()), middle = static_cast<float>(options.middle_code());
  const int64_t columns = static_cast<int64_t>(values.size()), group = options.GroupColumns(columns);
  const GroupedRow row = {values.data(), columns / group, group};
  ScratchBuffer ranges(2 * row.groups);
  float *low = ranges.data(), *high = low + row.groups;
  GroupRanges(row, low, high);
  float largest = 0;
  for (int64_t g = 0; g < row.groups; ++g) {
    largest = std::max({largest, high[g], -low[g]});
    scales[g] = options.symmetric ? SymmetricScale(low[g], high[g], middle) : (high[g] - low[g]) / max_code;
  }
  RoundToF16(scales, row.groups);
  for (int64_t g = 0; g < row.groups; ++g) {
    zero_points[g] = options.symmetric ? middle : ZeroPoint(low[g], scales[g], max_code);
  }
  RoundGroupsToGrids(row, scales, zero_points, max_code, codes);
  return largest <= LargestWeight(options);
}

absl::Status CheckWeights(ConstMatrixView weights, const GridOptions& options, int64_t first_row) {
  const float limit = LargestWeight(options);
  for (int64_t i = 0; i < weights.rows; ++i) {
    if (WithinLimit(weights.row(i), weights.columns, limit)) continue;
    for (int64_t j = 0; j < weights.columns; ++j) {
      const float value = weights.at(i, j);
      // The comparison is false for NaN.
      if (std::abs(value) <= limit) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("weight [", first_row + i, ", ", j, "] is ", value,
                       std::isfinite(value) ? ", too large for an F16 scale" : ", not a finite number"));
    }
  }
  return absl::OkStatus();
}

}  // namespace tersor
