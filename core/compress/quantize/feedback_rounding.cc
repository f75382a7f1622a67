#include "core/compress/quantize/feedback_rounding.h"

#include <algorithm>
#include <array>

namespace tersor {
namespace {

constexpr int64_t kRows = kPanelRows;
// Columns copied between layouts together: of all rows they stay in the first-level cache.
constexpr int64_t kCopied = 64;

// What the weights of a group become if all its columns and those after it are free: the targets hold the feedback of
// the columns before the group only.
void Compensate(const FeedbackSystem& system, const RoundingPanel& panel, int64_t first, int64_t count,
                const float* targets, std::vector<float>& compensated) {
  const float* weights = panel.weights.data() + first * kRows;
  compensated.resize(count * kRows);
  for (int64_t i = 0; i < count * kRows; ++i) compensated[i] = targets[i] - weights[i];
  SolveFeedback(system.feedback, first, count, compensated.data());
  for (int64_t i = 0; i < count * kRows; ++i) compensated[i] += weights[i];
}

// Fits one grid for each row to the group at `first`, of which `values` is a panel array.
void FitGroup(const FeedbackSystem& system, const GridOptions& options, int64_t first, int64_t count,
              const float* values, RoundingPanel& panel) {
  const bool weighted = options.search == v1::SCALE_SEARCH_HESSIAN;
  const PanelGrids grids = FitGrids(values, count, weighted ? system.importance.data() + first : nullptr, options);
  for (int64_t k = first; k < first + count; ++k) panel.SetGrids(k, grids);
}

// Rounds columns first .. first + count from `targets`, which hold the feedback of all before them.
void RoundColumns(const FeedbackSystem& system, const GridOptions& options, int64_t first, int64_t count,
                  float* targets, RoundingPanel& panel) {
  const FeedbackPanel columns = {.first = first,
                                 .columns = count,
                                 .feedback = &system.feedback,
                                 .importance = system.importance.data() + first,
                                 .weights = panel.weights.data() + first * kRows,
                                 .targets = targets};
  std::array<float, kRows> losses;
  RoundWithFeedback(columns, panel.Grid(first, options), panel.codes.data() + first * kRows,
                    panel.errors.data() + first * kRows, losses.data());
  for (int64_t row = 0; row < kRows; ++row) panel.losses[row] += losses[row];
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
  for (int64_t first = 0; first < columns; first += kCopied) {
    const int64_t end = std::min(columns, first + kCopied);
    for (int64_t row = 0; row < rows.rows; ++row) {
      const float* source = rows.row(row);
      for (int64_t k = first; k < end; ++k) weights[k * kRows + row] = source[order[k]];
    }
  }
}

void RoundingPanel::SetGrids(int64_t column, const PanelGrids& grids) {
  const int64_t at = column * kRows;
  for (int64_t row = 0; row < kRows; ++row) {
    scales[at + row] = grids.scales[row];
    inverse_scales[at + row] = grids.scales[row] == 0 ? 0 : 1 / grids.scales[row];
    zero_points[at + row] = grids.zero_points[row];
  }
}

void RoundingPanel::SetScale(int64_t column, int64_t row, float scale) {
  scales[column * kRows + row] = scale;
  inverse_scales[column * kRows + row] = scale == 0 ? 0 : 1 / scale;
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
  for (int64_t first = 0; first < columns; first += kCopied) {
    const int64_t end = std::min(columns, first + kCopied);
    for (int64_t row = 0; row < rows; ++row) {
      uint8_t* target = out.codes.data() + (first_row + row) * columns;
      for (int64_t k = first; k < end; ++k) target[order[k]] = static_cast<uint8_t>(codes[k * kRows + row]);
    }
  }
  // Groups stay together in any order.
  for (int64_t k = 0; k < columns; k += group) {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = k * kRows + row;
      out.grids[(first_row + row) * out.groups() + order[k] / group] = {scales[at], zero_points[at]};
    }
  }
}

// Groups in order: fit, then round.
void RoundPanel(const FeedbackSystem& system, const GridOptions& options, int64_t block_columns, RoundingPanel& panel) {
  std::fill(panel.losses.begin(), panel.losses.end(), 0.0f);
  const int64_t n = system.columns, group = options.GroupColumns(n);
  std::vector<float> targets(group * kRows), compensated;
  const auto fill_targets = [&](int64_t first, int64_t count) {
    std::copy_n(panel.weights.data() + first * kRows, count * kRows, targets.data());
    AddFeedback(system.feedback, 0, first, first, count, panel.errors.data(), targets.data());
  };
  for (int64_t first = 0; first < n; first += group) {
    fill_targets(first, group);
    Compensate(system, panel, first, group, targets.data(), compensated);
    FitGroup(system, options, first, group, compensated.data(), panel);
    for (int64_t begin = first; begin < first + group; begin += block_columns) {
      const int64_t count = std::min(block_columns, first + group - begin);
      if (begin > first) fill_targets(begin, count);
      RoundColumns(system, options, begin, count, targets.data(), panel);
    }
  }
}

}  // namespace tersor
