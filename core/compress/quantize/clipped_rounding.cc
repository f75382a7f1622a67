#include "core/compress/quantize/clipped_rounding.h"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "core/compress/quantize/moment_form.h"
#include "core/kernels/grid_rounding.h"
#include "core/kernels/worker_pool.h"

namespace tersor {
namespace {

constexpr float kNarrowest = 0.5f;

// The largest magnitude of each row; of a grid with zero points the least and the largest value apart.
struct Range {
  std::array<float, kPanelRows> low{}, high{};

  Range(const float* values, int64_t columns, bool symmetric) {
    for (int64_t k = 0; k < columns; ++k) {
      for (int64_t r = 0; r < kPanelRows; ++r) {
        low[r] = std::min(low[r], values[k * kPanelRows + r]);
        high[r] = std::max(high[r], values[k * kPanelRows + r]);
      }
    }
    for (int64_t r = 0; symmetric && r < kPanelRows; ++r) {
      high[r] = std::max(high[r], -low[r]);
      low[r] = -high[r];
    }
  }
};

// The best of the ranges tried so far for each row of a panel.
struct Best {
  PanelLosses losses;
  PanelGrids grids;
  std::vector<float> codes;
};

// Rounds one group of a panel's rows; `values` is its panel array.
Best RoundGroup(const float* values, const MomentForm& form, const GridOptions& options) {
  const int64_t columns = form.columns(), size = columns * kPanelRows;
  const Range range(values, columns, options.symmetric);
  Best best{{}, {}, std::vector<float>(size)};
  best.losses.fill(std::numeric_limits<double>::infinity());
  std::vector<float> clipped(size), codes(size), errors(size);
  for (int step = 0; step < kClipSteps; ++step) {
    const float share = 1 - (1 - kNarrowest) * static_cast<float>(step) / kClipSteps;
    for (int64_t i = 0; i < size; ++i) {
      const int64_t r = i % kPanelRows;
      clipped[i] = std::min(std::max(values[i], range.low[r] * share), range.high[r] * share);
    }
    const PanelGrids grids = FitGrids(clipped.data(), columns, nullptr, options);
    RoundPanelToGrids(clipped.data(), columns, grids.scales.data(), grids.zero_points.data(),
                      static_cast<float>(options.max_code()), codes.data(), errors.data());
    for (int64_t i = 0; i < size; ++i) errors[i] -= values[i];
    PanelLosses losses{};
    form.AddLosses(errors.data(), losses);
    for (int64_t r = 0; r < kPanelRows; ++r) {
      if (!(losses[r] < best.losses[r])) continue;
      best.losses[r] = losses[r];
      best.grids.scales[r] = grids.scales[r];
      best.grids.zero_points[r] = grids.zero_points[r];
      for (int64_t k = 0; k < columns; ++k) best.codes[k * kPanelRows + r] = codes[k * kPanelRows + r];
    }
  }
  return best;
}

}  // namespace

QuantizedMatrix RoundClipped(ConstMatrixView weights, ConstMatrixView moment, const GridOptions& options, int threads) {
  QuantizedMatrix matrix(weights.rows, weights.columns, options);
  const int64_t group = options.GroupColumns(weights.columns), groups = matrix.groups();
  std::vector<MomentForm> forms;
  for (int64_t g = 0; g < groups; ++g) forms.emplace_back(moment.Rows(g * group, group).Columns(g * group, group));
  RunTasks(threads, (weights.rows + kPanelRows - 1) / kPanelRows, [&](int64_t task) {
    const int64_t first = task * kPanelRows, rows = std::min(kPanelRows, weights.rows - first);
    const std::vector<float> panel = ToPanel(weights.Rows(first, rows));
    for (int64_t g = 0; g < groups; ++g) {
      const Best best = RoundGroup(panel.data() + g * group * kPanelRows, forms[g], options);
      for (int64_t r = 0; r < rows; ++r) {
        matrix.grids[(first + r) * groups + g] = {best.grids.scales[r], best.grids.zero_points[r]};
        uint8_t* codes = matrix.codes.data() + (first + r) * weights.columns + g * group;
        for (int64_t k = 0; k < group; ++k) codes[k] = static_cast<uint8_t>(best.codes[k * kPanelRows + r]);
      }
    }
  });
  return matrix;
}

}  // namespace tersor
