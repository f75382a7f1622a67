// Where the points of an integer grid lie: choosing a group's scale and zero point.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_INTEGER_GRID_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_INTEGER_GRID_H_

#include <array>
#include <cstdint>
#include <span>

#include "core/base/status.h"
#include "core/kernels/grid_rounding.h"
#include "core/linalg/matrix_view.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// The grid that a layer is put on.
struct GridOptions {
  // 2 to 8.
  int bits = 4;
  // Divides the layer's inputs; -1 is one group a row.
  int64_t group_size = 64;
  bool symmetric = true;
  v1::ScaleSearch search = v1::SCALE_SEARCH_MINMAX;

  int max_code() const { return (1 << bits) - 1; }
  int middle_code() const { return 1 << (bits - 1); }
  // Columns in a group of a row of `columns`.
  int64_t GroupColumns(int64_t columns) const { return group_size == -1 ? columns : group_size; }
};

// One grid for each row of a panel.
struct PanelGrids {
  std::array<float, kPanelRows> scales;
  std::array<float, kPanelRows> zero_points;
};

// The grids of a group with these values (a panel array of `columns` columns; see grid_rounding.h), scales rounded to
// F16. Without search a grid spans its row's values: of a symmetric grid, the side with one code more (that of negative
// values, or of positive ones where the scale is negative) ends at the value of the largest magnitude; else it spans
// the range of the values and 0. With SCALE_SEARCH_MSE or SCALE_SEARCH_HESSIAN, of about a hundred narrower and wider
// grids (of both signs where symmetric) the one with the least sum of squared errors, weighted by `importance` of the
// columns where that is not null, its scale then refitted to the codes by least squares.
PanelGrids FitGrids(const float* values, int64_t columns, const float* importance, const GridOptions& options);

// The same for one row.
GridCandidate FitGrid(std::span<const float> values, std::span<const float> importance, const GridOptions& options);

// One row, whose values are finite: each group on the grid that FitGrids gives it without search, rounded as
// RoundToGrid does. `scales` and `zero_points` [groups] and `codes` [columns] receive the answer. False where a value
// is too large for F16 scales.
bool RoundRowToSpans(std::span<const float> values, const GridOptions& options, float* scales, float* zero_points,
                     uint8_t* codes);

// INVALID_ARGUMENT unless all weights are finite and small enough for F16 scales; `weights` are those from row
// `first_row` on of the matrix that the message speaks of.
absl::Status CheckWeights(ConstMatrixView weights, const GridOptions& options, int64_t first_row = 0);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_INTEGER_GRID_H_
