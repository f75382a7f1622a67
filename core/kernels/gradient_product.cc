#include "core/kernels/gradient_product.h"

#include <algorithm>
#include <cstring>

#include "core/kernels/worker_pool.h"

namespace tersor {
namespace {

constexpr int64_t kRowsATask = 64;

void CopyRows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to, int64_t to_stride) {
  for (int64_t row = 0; row < rows; ++row) {
    std::memcpy(to + row * to_stride, from + row * from_stride, columns * sizeof(float));
  }
}

}  // namespace

ColumnPanels MakeColumnPanels(const float* x, int64_t rows, int64_t columns, int threads) {
  ColumnPanels panels(rows, columns);
  RunTasks(threads, (rows + kRowsATask - 1) / kRowsATask, [&](int64_t task) {
    const int64_t end = std::min(rows, (task + 1) * kRowsATask);
    for (int64_t row = task * kRowsATask; row < end; ++row) panels.SetRow(row, x + row * columns);
  });
  return panels;
}

void AddGradientPanel(const ColumnPanels& left, int64_t outputs, int64_t panel, const ColumnPanels& right,
                      int64_t inputs, float* gradient) {
  const int64_t count = std::min(kPanelColumns, outputs - panel * kPanelColumns);
  float* const target = gradient + panel * kPanelColumns * inputs;
  if (count == kPanelColumns && inputs % kPanelColumns == 0) {
    return AddPanelMoments(left, {panel, 1}, right, {0, right.panels()}, left.rows(), false, target, inputs);
  }
  // Panels are written whole.
  const int64_t stride = right.panels() * kPanelColumns;
  ScratchBuffer padded(kPanelColumns * stride);
  std::fill_n(padded.data(), padded.size(), 0.0f);
  CopyRows(target, inputs, count, inputs, padded.data(), stride);
  AddPanelMoments(left, {panel, 1}, right, {0, right.panels()}, left.rows(), false, padded.data(), stride);
  CopyRows(padded.data(), stride, count, inputs, target, inputs);
}

}  // namespace tersor
