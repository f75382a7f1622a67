// Rounding weights to integer grids, many rows at a time: the inner loops of RTN, GPTQ and their refinements.
#ifndef TERSOR_CORE_KERNELS_GRID_ROUNDING_H_
#define TERSOR_CORE_KERNELS_GRID_ROUNDING_H_

#include <cstdint>

#include "core/kernels/triangle_panels.h"

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

// targets += what the errors of columns [begin, end) add to columns first .. first + count, row k of
// `feedback` holds at [j] what an error of 1 in column k (weight minus rounded value) adds to column j > k. `errors` is
// the panel array of columns [begin, end), `targets` that of the `count` columns.
void AddFeedback(const TrianglePanels& feedback, int64_t begin, int64_t end, int64_t first, int64_t count,
                 const float* errors, float* targets);

// x_j := x_j - sum over first <= k < j of feedback_kj x_k, in order, for columns first .. first + count, of which `x`
// is the panel array.
void SolveFeedback(const TrianglePanels& feedback, int64_t first, int64_t count, float* x);

// Neighbouring columns of GPTQ, rounded one after another.
struct FeedbackPanel {
  int64_t first = 0;
  int64_t columns = 0;
  const TrianglePanels* feedback = nullptr;
  // What a squared error of column first + k's target costs.
  const float* importance = nullptr;
  // Panel arrays of these columns.
  const float* weights = nullptr;
  // In: weights plus the feedback of all columns before `first`. Out: what each column was rounded from.
  float* targets = nullptr;
  // Panel array: a weight where it is not 0 keeps its target, whatever the grid; null: none does.
  const float* floats = nullptr;
};

// Rounds the panel's columns in order. `codes` and `errors` (weight minus rounded value) are panel arrays of these
// columns that receive the answer, `losses` [kPanelRows] each row's sum of importance * (target - rounded value)^2.
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

// Grids that each row of a panel might get: panel arrays of `count` candidates.
struct GridCandidates {
  int64_t count = 0;
  const float* scales = nullptr;
  const float* zero_points = nullptr;
};

// best[row]: index of the candidate whose rounding of the row's `values` (a panel array of `columns` columns) has the
// least sum of importance * error^2, importance by column (all 1 where null); the first of equals.
void BestGrids(const float* values, const float* importance, int64_t columns, const GridCandidates& candidates,
               float max_code, int32_t* best);

// Rounds the columns of a panel on one grid a row (`scales` and `zero_points` hold a panel's rows): `codes` and
// `rounded` (their values) are panel arrays that receive the answer.
void RoundPanelToGrids(const float* values, int64_t columns, const float* scales, const float* zero_points,
                       float max_code, float* codes, float* rounded);

// The scale that is best for the codes each row's values have on its grid: sum of importance * value * (code - zero
// point) over that of importance * (code - zero point)^2; the grid's own scale where all codes are its zero point.
// `scales` and `zero_points` hold a panel's rows, as `fitted` does.
void LeastSquaresScales(const float* values, const float* importance, int64_t columns, const float* scales,
                        const float* zero_points, float max_code, float* fitted);

// Rounds each value to F16 and back; beyond the largest finite F16 to that.
void RoundToF16(float* values, int64_t count);

// codes[i] = the grid's nearest code for values[i].
void RoundToGrid(const float* values, int64_t count, const GridCandidate& grid, float max_code, uint8_t* codes);

// A row of `groups` groups of `group` neighbouring values, which are finite.
struct GroupedRow {
  const float* values = nullptr;
  int64_t groups = 0;
  int64_t group = 0;
};

// low[g], high[g] = the least and the largest of group g's values and 0.
void GroupRanges(const GroupedRow& row, float* low, float* high);

// RoundToGrid for each group, group g on the grid of scales[g] and zero_points[g].
void RoundGroupsToGrids(const GroupedRow& row, const float* scales, const float* zero_points, float max_code,
                        uint8_t* codes);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_GRID_ROUNDING_H_
