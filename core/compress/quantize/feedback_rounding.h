// GPTQ's rounding of a panel of rows: column by column, each error pushed into the columns not yet rounded.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_ROUNDING_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_ROUNDING_H_

#include <cstdint>
#include <vector>

#include "core/compress/quantize/feedback_system.h"
#include "core/compress/quantize/quantized_matrix.h"
#include "core/kernels/grid_rounding.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

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

  explicit RoundingPanel(int64_t columns);
  void Load(ConstMatrixView rows, const std::vector<int64_t>& order);
  void SetGrids(int64_t column, const PanelGrids& grids);
  void SetScale(int64_t column, int64_t row, float scale);
  PanelGrid Grid(int64_t first_column, const GridOptions& options) const;
  // Writes codes and grids of rows first_row .. to `out`.
  void Store(const std::vector<int64_t>& order, int64_t first_row, QuantizedMatrix& out) const;
};

// Rounds panel.weights on grids of `options`. A group's grid is fitted, when its turn comes, to what the feedback so
// far has made of its weights, with the system's importance. `block_columns`: columns rounded before the ones after
// them in their group are updated. Any thread may round any panel.
void RoundPanel(const FeedbackSystem& system, const GridOptions& options, int64_t block_columns, RoundingPanel& panel);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_ROUNDING_H_
