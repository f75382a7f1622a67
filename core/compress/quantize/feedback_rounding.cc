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

// Gives the group its grids; `values` is what its weights become.
void FitPanelGroup(const FeedbackSystem& system, const PanelRounding& rounding, const PositionGroup& group,
                   std::vector<float>& values, RoundingPanel& panel) {
  const int64_t size = group.count * kRows, at = group.first * kRows;
  for (int64_t i = 0; !panel.floats.empty() && i < size; ++i) {
    if (panel.floats[at + i] != 0) values[i] = 0;
  }
  const bool weighted = rounding.options.search == v1::SCALE_SEARCH_HESSIAN;
  const float* importance = weighted ? system.importance.data() + group.first : nullptr;
  const PanelGrids grids = rounding.fit ? rounding.fit(group, values.data(), importance)
                                        : FitGrids(values.data(), group.count, importance, rounding.options);
  for (int64_t k = group.first; k < group.first + group.count; ++k) panel.SetGrids(k, grids);
}

// Rounds columns first .. first + count from `targets`, which hold the feedback of all before them.
void RoundColumns(const FeedbackSystem& system, const GridOptions& options, int64_t first, int64_t count,
                  float* targets, RoundingPanel& panel) {
  const FeedbackPanel columns = {.first = first,
                                 .columns = count,
                                 .feedback = &system.feedback,
                                 .importance = system.importance.data() + first,
                                 .weights = panel.weights.data() + first * kRows,
                                 .targets = targets,
                                 .floats = panel.floats.empty() ? nullptr : panel.floats.data() + first * kRows};
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
  Store(order, GroupPositions(order, out.options.GroupColumns(columns), columns), first_row, out);
}

void RoundingPanel::Store(const std::vector<int64_t>& order, const std::vector<PositionGroup>& groups,
                          int64_t first_row, QuantizedMatrix& out) const {
  const int64_t rows = std::min(kRows, out.rows - first_row);
  const int64_t stored = groups.empty() ? 0 : groups.back().first + groups.back().count;
  for (int64_t first = 0; first < stored; first += kCopied) {
    const int64_t end = std::min(stored, first + kCopied);
    for (int64_t row = 0; row < rows; ++row) {
      uint8_t* target = out.codes.data() + (first_row + row) * columns;
      for (int64_t k = first; k < end; ++k) target[order[k]] = static_cast<uint8_t>(codes[k * kRows + row]);
    }
  }
  for (const PositionGroup& group : groups) {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = group.first * kRows + row;
      out.grids[(first_row + row) * out.groups() + group.group] = {scales[at], zero_points[at]};
    }
  }
}

std::vector<PositionGroup> GroupPositions(const std::vector<int64_t>& order, int64_t group_columns, int64_t positions) {
  std::vector<PositionGroup> groups;
  for (int64_t k = 0; k < positions; ++k) {
    const int64_t group = order[k] / group_columns;
    if (groups.empty() || groups.back().group != group) groups.push_back({k, 0, group});
    ++groups.back().count;
  }
  return groups;
}

// Groups in order: fit, then round.
void RoundPanel(const FeedbackSystem& system, const PanelRounding& rounding, RoundingPanel& panel) {
  std::fill(panel.losses.begin(), panel.losses.end(), 0.0f);
  const int64_t n = system.columns;
  std::vector<float> targets, compensated;
  const auto fill_targets = [&](int64_t first, int64_t count) {
    const float* weights = panel.weights.data() + first * kRows;
    targets.assign(weights, weights + count * kRows);
    AddFeedback(system.feedback, 0, first, first, count, panel.errors.data(), targets.data());
  };
  int64_t end = 0;
  for (const PositionGroup& group : rounding.groups) {
    fill_targets(group.first, group.count);
    Compensate(system, panel, group.first, group.count, targets.data(), compensated);
    FitPanelGroup(system, rounding, group, compensated, panel);
    end = group.first + group.count;
    for (int64_t begin = group.first; begin < end; begin += rounding.block_columns) {
      const int64_t count = std::min(rounding.block_columns, end - begin);
      if (begin > group.first) fill_targets(begin, count);
      RoundColumns(system, rounding.options, begin, count, targets.data(), panel);
    }
  }
  if (end == n) return;
  fill_targets(end, n - end);
  Compensate(system, panel, end, n - end, targets.data(), compensated);
  for (int64_t i = end * kRows; i < n * kRows; ++i) panel.errors[i] = panel.weights[i] - compensated[i - end * kRows];
}

void RoundPanel(const FeedbackSystem& system, const GridOptions& options, int64_t block_columns, RoundingPanel& panel) {
  const int64_t n = system.columns;
  RoundPanel(system, {options, block_columns, GroupPositions(system.order, options.GroupColumns(n), n), nullptr},
             panel);
}

}  // namespace tersor
