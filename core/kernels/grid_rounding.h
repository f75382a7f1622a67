// Rounding weights to integer grids, many rows at a time: the inner loops of RTN, GPTQ and their refinements.
#ifndef TERSOR_CORE_KERNELS_GRID_ROUNDING_H_
#define TERSOR_CORE_KERNELS_GRID_ROUNDING_H_

#include <cstdint>

namespace tersor {

// Rows of a panel. Element (column k, row r) of a panel array lies at [k * kPanelRows + r]: vectors run over rows,
// which do not depend on each other.
inline constexpr int64_t kPanelRows = 32;

// Grids of a panel: value = (code - zero point) * scale, codes 0 .. max_code. Panel arrays; `stride` is kPanelRows
// where every column has its own grid, 0 where all share one.
struct PanelGrid {
  const float* scales = nullptr;
  // 1 / scale, or 0 where the scale is 0.
  const float* inverse_scales = nullptr;
  const float* zero_points = nullptr;
  int64_t stride = 0;
  float max_code = 0;
};

// Neighbouring columns of GPTQ, rounded one after another.
struct FeedbackPanel {
  // Columns to round now, and how many the arrays hold: the later ones only receive feedback.
  int64_t columns = 0;
  int64_t held_columns = 0;
  const float* weights = nullptr;
  // In: weights plus the feedback of all columns before the panel. Out: what each column was rounded from; in the
  // columns after them, the feedback added.
  float* targets = nullptr;
  // Row k holds at [j] what an error of 1 in column k (weight minus rounded value) adds to column j > k.
  const float* feedback = nullptr;
  int64_t feedback_stride = 0;
  // What a squared error of column k's target costs.
  const float* importance = nullptr;
};

// Rounds the panel's columns in order. `codes` and `errors` (weight minus rounded value) are panel arrays that receive
// the answer; `losses` [kPanelRows] receives each row's sum of importance * (target - rounded value)^2.
void RoundWithFeedback(const FeedbackPanel& panel, const PanelGrid& grid, float* codes, float* errors, float* losses);

// One sweep of coordinate descent: for each column k in order, the code that minimizes d^T H d with the row's other
// columns held. `gradient` holds H d (d = weight minus value) and is kept up to date, `errors` holds d. `moment` is H,
// [columns, columns], symmetric; `inverse_diagonal` is 1 / H_kk. A zero scale leaves its codes alone.
void DescendCoordinates(int64_t columns, const float* moment, const float* inverse_diagonal, const PanelGrid& grid,
                        float* codes, float* errors, float* gradient);

// A grid that all values of a group might get.
struct GridCandidate {
  float scale = 0;
  float zero_point = 0;
};

// Index of the candidate whose rounding of `values` has the least sum of importance * error^2 (all importances 1 where
// null); the first of equals.
int64_t BestGrid(const float* values, const float* importance, int64_t count, const GridCandidate* candidates,
                 int64_t candidate_count, float max_code);

// codes[i] = the grid's nearest code for values[i].
void RoundToGrid(const float* values, int64_t count, const GridCandidate& grid, float max_code, uint8_t* codes);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_GRID_ROUNDING_H_
