#include "core/compress/quantize/feedback_rounding.h"

#include <algorithm>
#include <array>
#include <span>

#include "core/linalg/products.h"

namespace tersor {
namespace {

constexpr int64_t kRows = kPanelRows;

// targets = weights plus the feedback of all columns before `first`.
void AddFeedback(const FeedbackSystem& system, const RoundingPanel& panel, int64_t first, int64_t count,
                 float* targets) {
  std::copy_n(panel.weights.data() + first * kRows, count * kRows, targets);
  const int64_t n = system.columns;
  AddTransposedProduct(ConstMatrixView(system.feedback.data() + first, first, count, n),
                       ConstMatrixView(panel.errors.data(), first, kRows), MatrixView(targets, count, kRows));
}

// What the weights of a group become if all its columns and those after it are free: the targets hold the feedback of
// the columns before the group only.
void Compensate(const FeedbackSystem& system, const RoundingPanel& panel, int64_t first, int64_t count,
                const float* targets, std::vector<float>& compensated) {
  const float* weights = panel.weights.data() + first * kRows;
  compensated.resize(count * kRows);
  for (int64_t i = 0; i < count * kRows; ++i) compensated[i] = targets[i] - weights[i];
  SolveLeftUpperTransposed(
      ConstMatrixView(system.feedback.data() + first * system.columns + first, count, count, system.columns),
      MatrixView(compensated.data(), count, kRows));
  for (int64_t i = 0; i < count * kRows; ++i) compensated[i] += weights[i];
}

// Fits one grid for each row to the group at `first`, of which `values` is a panel array.
void FitGroup(const FeedbackSystem& system, const GridOptions& options, int64_t first, int64_t count,
              const float* values, RoundingPanel& panel) {
  std::vector<float> row_values(count);
  const bool weighted = options.search == v1::SCALE_SEARCH_HESSIAN;
  const std::span<const float> importance(system.importance.data() + first, weighted ? count : 0);
  for (int64_t row = 0; row < kRows; ++row) {
    for (int64_t k = 0; k < count; ++k) row_values[k] = values[k * kRows + row];
    const GridCandidate grid = FitGrid(row_values, importance, options);
    for (int64_t k = 0; k < count; ++k) panel.SetGrid(first + k, row, grid);
  }
}

// Rounds columns first .. first + count; `targets` has `held` columns from `first` on.
void RoundColumns(const FeedbackSystem& system, const GridOptions& options, int64_t first, int64_t count, int64_t held,
                  float* targets, RoundingPanel& panel) {
  const FeedbackPanel feedback = {.columns = count,
                                  .held_columns = held,
                                  .weights = panel.weights.data() + first * kRows,
                                  .targets = targets,
                                  .feedback = system.feedback.data() + first * system.columns + first,
                                  .feedback_stride = system.columns,
                                  .importance = system.importance.data() + first};
  std::array<float, kRows> losses;
  RoundWithFeedback(feedback, panel.Grid(first, options), panel.codes.data() + first * kRows,
                    panel.errors.data() + first * kRows, losses.data());
  for (int64_t row = 0; row < kRows; ++row) panel.losses[row] += losses[row];
}

// Rounds a group that is longer than a block.
void RoundInBlocks(const FeedbackSystem& system, const GridOptions& options, int64_t block_columns, int64_t first,
                   int64_t count, std::vector<float>& targets, RoundingPanel& panel) {
  for (int64_t begin = first; begin < first + count; begin += block_columns) {
    const int64_t columns = std::min(block_columns, first + count - begin);
    targets.resize(columns * kRows);
    AddFeedback(system, panel, begin, columns, targets.data());
    RoundColumns(system, options, begin, columns, columns, targets.data(), panel);
  }
}

}  // namespace

RoundingPanel::RoundingPanel(int64_t columns)
    : columns(columns),
      weights(columns * kRows),
      codes(columns * kRows),
      errors(columns * kRows),
      scales(columns * kRows),
      inverse_scales(columns * kRows),
      zero_points(columns * kRows),
      losses(kRows) {}

void RoundingPanel::Load(ConstMatrixView rows, const std::vector<int64_t>& order) {
  std::fill(weights.begin(), weights.end(), 0.0f);
  for (int64_t row = 0; row < rows.rows; ++row) {
    const float* source = rows.row(row);
    for (int64_t k = 0; k < columns; ++k) weights[k * kRows + row] = source[order[k]];
  }
}

void RoundingPanel::SetGrid(int64_t column, int64_t row, const GridCandidate& grid) {
  const int64_t at = column * kRows + row;
  scales[at] = grid.scale;
  inverse_scales[at] = grid.scale == 0 ? 0 : 1 / grid.scale;
  zero_points[at] = grid.zero_point;
}

PanelGrid RoundingPanel::Grid(int64_t first_column, const GridOptions& options) const {
  const int64_t at = first_column * kRows;
  return {.scales = scales.data() + at,
          .inverse_scales = inverse_scales.data() + at,
          .zero_points = zero_points.data() + at,
          .stride = kRows,
          .max_code = static_cast<float>(options.max_code())};
}

void RoundingPanel::Store(const std::vector<int64_t>& order, int64_t first_row, QuantizedMatrix& out) const {
  const int64_t rows = std::min(kRows, out.rows - first_row);
  const int64_t group = out.options.GroupColumns(columns);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t k = 0; k < columns; ++k) {
      const int64_t at = k * kRows + row;
      out.codes[(first_row + row) * columns + order[k]] = static_cast<uint8_t>(codes[at]);
      out.grids[(first_row + row) * out.groups() + order[k] / group] = {scales[at], zero_points[at]};
    }
  }
}

// Groups in order: fit, then round. Short groups share a block of targets.
void RoundPanel(const FeedbackSystem& system, const GridOptions& options, int64_t block_columns, RoundingPanel& panel) {
  std::fill(panel.losses.begin(), panel.losses.end(), 0.0f);
  const int64_t n = system.columns, group = options.GroupColumns(n);
  const int64_t block = std::max(group, block_columns / group * group);
  std::vector<float> targets, compensated;
  for (int64_t first = 0; first < n; first += block) {
    const int64_t held = std::min(block, n - first);
    targets.resize(held * kRows);
    AddFeedback(system, panel, first, held, targets.data());
    for (int64_t done = 0; done < held; done += group) {
      float* group_targets = targets.data() + done * kRows;
      Compensate(system, panel, first + done, group, group_targets, compensated);
      FitGroup(system, options, first + done, group, compensated.data(), panel);
      if (group > block_columns) {
        RoundInBlocks(system, options, block_columns, first, group, targets, panel);
      } else {
        RoundColumns(system, options, first + done, group, held - done, group_targets, panel);
      }
    }
  }
}

}  // namespace tersor
