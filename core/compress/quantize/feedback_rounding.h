// GPTQ's rounding of a panel of rows: column by column, each error pushed into the columns not yet rounded.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_ROUNDING_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_ROUNDING_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "core/compress/quantize/feedback_system.h"
#include "core/compress/quantize/quantized_matrix.h"
#include "core/kernels/grid_rounding.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// Neighbouring positions in the order of rounding whose weights share a grid.
struct PositionGroup {
  int64_t first = 0;
  int64_t count = 0;
  // Of the row.
  int64_t group = 0;
};

// Up to kPanelRows rows of a layer on their way to the grid. Panel arrays (see grid_rounding.h) whose columns stand in
// the order of rounding; rows past the layer's last are zero.
struct RoundingPanel {
  int64_t columns = 0;
  std::vector<float> weights;
  std::vector<float> codes;
  // Weight minus rounded value.
  std::vector<float> errors;
  // Grids by column.
  std::vector<float> scales, inverse_scales, zero_points;
  // d (X^T X + damping) d^T of each row.
  std::vector<float> losses;
  // Not 0 where a weight stays float; empty where none does.
  std::vector<float> floats;

  explicit RoundingPanel(int64_t columns);
  void Load(ConstMatrixView rows, const std::vector<int64_t>& order);
  void SetGrids(int64_t column, const PanelGrids& grids);
  void SetScale(int64_t column, int64_t row, float scale);
  PanelGrid Grid(int64_t first_column, const GridOptions& options) const;
  // The value that stands for a weight.
  float Value(int64_t position, int64_t row) const {
    return weights[position * kPanelRows + row] - errors[position * kPanelRows + row];
  }
  // Writes codes and grids of rows first_row .. to `out`; the second form those of `groups` alone, whose grids they
  // have.
  void Store(const std::vector<int64_t>& order, int64_t first_row, QuantizedMatrix& out) const;
  void Store(const std::vector<int64_t>& order, const std::vector<PositionGroup>& groups, int64_t first_row,
             QuantizedMatrix& out) const;
};

// The first `positions` of the order; neighbours are of one group where their columns are.
std::vector<PositionGroup> GroupPositions(const std::vector<int64_t>& order, int64_t group_columns, int64_t positions);

// The grids of a group; `values` is the panel array of what its weights become if all columns of the group and those
// after it are free, 0 where a weight stays float. `importance` as FitGrids takes it.
using FitGroup = std::function<PanelGrids(const PositionGroup& group, const float* values, const float* importance)>;

struct PanelRounding {
  GridOptions options;
  // Columns rounded before the ones after them in their group are updated.
  int64_t block_columns = 128;
  // From position 0 on without gaps. Positions after the last group's stay float, and take over what is left of the
  // errors before them.
  std::vector<PositionGroup> groups;
  // Null: FitGrids.
  FitGroup fit;
};

// Rounds panel.weights. A group's grid is fitted, when its turn comes, to what the feedback so far has made of its
// weights, with the system's importance. Any thread may round any panel.
void RoundPanel(const FeedbackSystem& system, const PanelRounding& rounding, RoundingPanel& panel);

// The same with groups of equal size and no float weights.
void RoundPanel(const FeedbackSystem& system, const GridOptions& options, int64_t block_columns, RoundingPanel& panel);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_ROUNDING_H_
