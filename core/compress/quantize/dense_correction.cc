#include "core/compress/quantize/dense_correction.h"

#include <algorithm>

#include "core/linalg/products.h"

namespace tersor {

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
  const ConstMatrixView factor(system.feedback.data(), n, n);
  SolveLeftUpper(factor, target);
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t row = 0; row < kPanelRows; ++row) target.at(k, row) /= system.importance[k];
  }
  SolveLeftUpperTransposed(factor, target);
  for (int64_t i = 0; i < n * kPanelRows; ++i) panel.weights[i] += change[i];
}

}  // namespace tersor
