#include "core/compress/quantize/bilevel_grids.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "core/kernels/grid_rounding.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

// Codes tried on either side of the nearest.
constexpr int kScaleReach = 3, kZeroReach = 1;

// The second-level grid of a tile.
struct TileGrid {
  float least_scale = 0, scale_step = 0;
  int least_zero = 0, zero_step = 1;
};

float ToF16(float value) { return F16ToFloat(FloatToF16(value)); }

// Rows [begin, end) of the panel. A scale of 0 means that all values are 0, which any grid holds.
TileGrid SpanTile(const PanelGrids& free, int64_t begin, int64_t end, int most_code) {
  float low = 0, high = 0, zero_low = 0, zero_high = 0;
  bool any = false;
  for (int64_t row = begin; row < end; ++row) {
    const float scale = free.scales[row], zero = free.zero_points[row];
    if (scale == 0) continue;
    low = any ? std::min(low, scale) : scale;
    high = any ? std::max(high, scale) : scale;
    zero_low = any ? std::min(zero_low, zero) : zero;
    zero_high = any ? std::max(zero_high, zero) : zero;
    any = true;
  }
  TileGrid grid;
  const float steps = static_cast<float>(most_code);
  grid.least_scale = ToF16(low);
  grid.scale_step = ToF16((high - grid.least_scale) / steps);
  grid.least_zero = static_cast<int>(zero_low);
  grid.zero_step = std::max(1, static_cast<int>(std::ceil((zero_high - zero_low) / steps)));
  return grid;
}

int NearestStep(float value, float least, float step, int most_code) {
  if (step == 0) return 0;
  return static_cast<int>(std::clamp(std::nearbyint((value - least) / step), 0.0f, static_cast<float>(most_code)));
}

}  // namespace

PanelGrids QuantizeGrids(const PanelGrids& free, const float* values, int64_t columns, const float* importance,
                         const BilevelIntLayout& layout, int64_t first_row, int64_t group, BilevelIntParts& parts) {
  constexpr int kCandidates = (2 * kScaleReach + 1) * (2 * kZeroReach + 1);
  const int most_code = (1 << layout.scale_bits) - 1;
  const int64_t rows = std::min(kPanelRows, layout.rows - first_row), groups = layout.groups();
  std::vector<float> scales(kCandidates * kPanelRows), zero_points(kCandidates * kPanelRows);
  std::vector<std::array<uint8_t, 2>> codes(kCandidates * kPanelRows);
  for (int64_t begin = 0; begin < rows; begin += layout.tile_rows) {
    const int64_t end = std::min(rows, begin + layout.tile_rows);
    const TileGrid tile = SpanTile(free, begin, end, most_code);
    const int64_t at = 2 * ((first_row + begin) / layout.tile_rows * groups + group);
    parts.scale_grids[at] = FloatToF16(tile.least_scale);
    parts.scale_grids[at + 1] = FloatToF16(tile.scale_step);
    parts.zero_grids[at] = static_cast<uint8_t>(tile.least_zero);
    parts.zero_grids[at + 1] = static_cast<uint8_t>(tile.zero_step);
    for (int64_t row = begin; row < end; ++row) {
      const int scale = NearestStep(free.scales[row], tile.least_scale, tile.scale_step, most_code);
      const int zero = NearestStep(free.zero_points[row], static_cast<float>(tile.least_zero),
                                   static_cast<float>(tile.zero_step), most_code);
      int64_t candidate = row;
      for (int i = scale - kScaleReach; i <= scale + kScaleReach; ++i) {
        for (int j = zero - kZeroReach; j <= zero + kZeroReach; ++j, candidate += kPanelRows) {
          const int a = std::clamp(i, 0, most_code), b = std::clamp(j, 0, most_code);
          codes[candidate] = {static_cast<uint8_t>(a), static_cast<uint8_t>(b)};
          scales[candidate] = tile.least_scale + static_cast<float>(a) * tile.scale_step;
          zero_points[candidate] = static_cast<float>(tile.least_zero + b * tile.zero_step);
        }
      }
    }
  }
  std::array<int32_t, kPanelRows> best;
  BestGrids(values, importance, columns, {kCandidates, scales.data(), zero_points.data()},
            static_cast<float>((1 << layout.bits) - 1), best.data());
  PanelGrids grids{};
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t chosen = best[row] * kPanelRows + row;
    grids.scales[row] = scales[chosen];
    grids.zero_points[row] = zero_points[chosen];
    parts.scale_codes[(first_row + row) * groups + group] = codes[chosen][0];
    parts.zero_codes[(first_row + row) * groups + group] = codes[chosen][1];
  }
  return grids;
}

}  // namespace tersor
