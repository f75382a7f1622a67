#include "core/compress/quantize/dense_correction.h"

#include <algorithm>

#include "core/kernels/grid_rounding.h"
#include "core/kernels/parallel.h"
#include "core/linalg/products.h"

namespace tersor {
namespace {

// x := R^-1 x, panel by panel from the last.
void SolveUpper(const TrianglePanels& upper, MatrixView x) {
  for (int64_t p = upper.panels() - 1; p >= 0; --p) {
    const int64_t first = p * kPanelColumns, count = upper.rows(p) - first;
    const ConstMatrixView panel(upper.column(first), upper.rows(p), count, kPanelColumns);
    const MatrixView own = x.Rows(first, count);
    SolveLeftUpper(panel.Rows(first, count), own);
    std::vector<float> negated(count * kPanelRows);
    for (int64_t i = 0; i < count * kPanelRows; ++i) negated[i] = -own.data[i];
    AddProduct(panel.Rows(0, first), ConstMatrixView(negated.data(), count, kPanelRows), x.Rows(0, first));
  }
}

}  // namespace

DenseCorrection::DenseCorrection(const InputStatistics& statistics, const std::vector<int64_t>& order, double share) {
  if (share == 0) return;
  const int64_t n = statistics.width();
  const ConstMatrixView dense = statistics.dense_moment(), moment = statistics.second_moment();
  drift_.resize(n * n);
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      const int64_t row = order[i], column = order[j];
      const double now = moment.at(std::max(row, column), std::min(row, column));
      drift_[i * n + j] = static_cast<float>(share * (dense.at(row, column) - now));
    }
  }
}

void DenseCorrection::Apply(const FeedbackSystem& system, RoundingPanel& panel) const {
  if (drift_.empty()) return;
  const int64_t n = system.columns;
  std::vector<float> change(n * kPanelRows);
  const MatrixView target(change.data(), n, kPanelRows);
  AddTransposedProduct(ConstMatrixView(drift_.data(), n, n), ConstMatrixView(panel.weights.data(), n, kPanelRows),
                       target);
  // H = R R^T, and the system holds R with its columns divided by its diagonal.
  SolveUpper(system.feedback, target);
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t row = 0; row < kPanelRows; ++row) target.at(k, row) /= system.importance[k];
  }
  SolveFeedback(system.feedback, 0, n, change.data());
  for (int64_t i = 0; i < n * kPanelRows; ++i) panel.weights[i] += change[i];
}

void DenseCorrection::Apply(const FeedbackSystem& system, int threads, WeightValues& weights) const {
  if (drift_.empty()) return;
  const ConstMatrixView view = weights.view();
  RunTasks(threads, (view.rows + kPanelRows - 1) / kPanelRows, [&](int64_t task) {
    const int64_t first = task * kPanelRows, count = std::min(kPanelRows, view.rows - first);
    RoundingPanel panel(view.columns);
    panel.Load(view.Rows(first, count), system.order);
    Apply(system, panel);
    for (int64_t k = 0; k < view.columns; ++k) {
      for (int64_t row = 0; row < count; ++row) {
        weights.row(first + row)[system.order[k]] = panel.weights[k * kPanelRows + row];
      }
    }
  });
}

}  // namespace tersor
