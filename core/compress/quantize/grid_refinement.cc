#include "core/compress/quantize/grid_refinement.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/linalg/cholesky.h"
#include "core/linalg/products.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

constexpr int64_t kRows = kPanelRows;

class PanelRefiner {
 public:
  PanelRefiner(const FeedbackSystem& system, const GridOptions& options, RoundingPanel& panel)
      : system_(system),
        options_(options),
        panel_(panel),
        n_(system.columns),
        group_(options.GroupColumns(n_)),
        groups_(n_ / group_),
        gradient_(n_ * kRows) {
    MultiplyMoment(panel.weights, moment_weights_);
  }

  void Refine(int rounds) {
    for (int round = 0; round < rounds; ++round) {
      RefitScales();
      UpdateErrors();
      DescendCoordinates(n_, system_.moment.data(), system_.inverse_diagonal.data(), panel_.Grid(0, options_),
                         panel_.codes.data(), panel_.errors.data(), gradient_.data());
    }
    for (int64_t row = 0; row < kRows; ++row) {
      double loss = 0;
      for (int64_t k = 0; k < n_; ++k) {
        loss += static_cast<double>(panel_.errors[k * kRows + row]) * gradient_[k * kRows + row];
      }
      panel_.losses[row] = static_cast<float>(loss);
    }
  }

 private:
  // product = H x, both panel arrays.
  void MultiplyMoment(const std::vector<float>& x, std::vector<float>& product) const {
    product.assign(n_ * kRows, 0.0f);
    AddProduct(ConstMatrixView(system_.moment.data(), n_, n_), ConstMatrixView(x.data(), n_, kRows),
               MatrixView(product.data(), n_, kRows));
  }

  void UpdateErrors() {
    for (int64_t i = 0; i < n_ * kRows; ++i) {
      panel_.errors[i] = panel_.weights[i] - (panel_.codes[i] - panel_.zero_points[i]) * panel_.scales[i];
    }
    MultiplyMoment(panel_.errors, gradient_);
  }

  // Normal equations of the scales: a row's value is the sum over groups of scale times integers, so the loss is
  // quadratic in the scales with matrix C^T H C and right side C^T H w.
  void BuildNormalEquations() {
    std::vector<float> integers(n_ * kRows), product(n_ * kRows);
    for (int64_t i = 0; i < n_ * kRows; ++i) integers[i] = panel_.codes[i] - panel_.zero_points[i];
    matrix_.assign(groups_ * groups_ * kRows, 0.0);
    right_.assign(groups_ * kRows, 0.0);
    for (int64_t a = 0; a < groups_; ++a) {
      // Only the groups up to `a` are needed: the matrix is symmetric.
      const int64_t held = (a + 1) * group_;
      std::fill_n(product.begin(), held * kRows, 0.0f);
      AddProduct(ConstMatrixView(system_.moment.data() + a * group_, held, group_, n_),
                 ConstMatrixView(integers.data() + a * group_ * kRows, group_, kRows),
                 MatrixView(product.data(), held, kRows));
      for (int64_t k = 0; k < held; ++k) {
        double* sums = matrix_.data() + (a * groups_ + k / group_) * kRows;
        for (int64_t row = 0; row < kRows; ++row)
          sums[row] += static_cast<double>(integers[k * kRows + row]) * product[k * kRows + row];
      }
      for (int64_t k = a * group_; k < held; ++k) {
        double* sums = right_.data() + a * kRows;
        for (int64_t row = 0; row < kRows; ++row)
          sums[row] += static_cast<double>(integers[k * kRows + row]) * moment_weights_[k * kRows + row];
      }
    }
  }

  void RefitScales() {
    BuildNormalEquations();
    std::vector<double> lower(groups_ * groups_), solution(groups_);
    for (int64_t row = 0; row < kRows; ++row) {
      for (int64_t a = 0; a < groups_; ++a) {
        for (int64_t b = 0; b <= a; ++b) lower[a * groups_ + b] = matrix_[(a * groups_ + b) * kRows + row];
        // A group whose codes all are its zero point has no scale to fit.
        if (lower[a * groups_ + a] == 0) lower[a * groups_ + a] = 1;
        solution[a] = right_[a * kRows + row];
      }
      if (!FactorLower(groups_, lower).ok()) continue;
      SolveFactored(groups_, lower, solution);
      for (double& scale : solution) scale = F16ToFloat(FloatToF16(static_cast<float>(scale)));
      TakeIfBetter(row, solution);
    }
  }

  // The part of a row's loss that depends on the scales.
  double Loss(int64_t row, const std::vector<double>& scales) const {
    double loss = 0;
    for (int64_t a = 0; a < groups_; ++a) {
      loss -= 2 * scales[a] * right_[a * kRows + row];
      for (int64_t b = 0; b <= a; ++b) {
        loss += (a == b ? 1 : 2) * scales[a] * scales[b] * matrix_[(a * groups_ + b) * kRows + row];
      }
    }
    return loss;
  }

  void TakeIfBetter(int64_t row, const std::vector<double>& scales) {
    std::vector<double> before(groups_);
    for (int64_t a = 0; a < groups_; ++a) before[a] = panel_.scales[a * group_ * kRows + row];
    const bool finite = std::all_of(scales.begin(), scales.end(), [](double scale) { return std::isfinite(scale); });
    if (!finite || !(Loss(row, scales) < Loss(row, before))) return;
    for (int64_t k = 0; k < n_; ++k) panel_.SetScale(k, row, static_cast<float>(scales[k / group_]));
  }

  const FeedbackSystem& system_;
  const GridOptions& options_;
  RoundingPanel& panel_;
  const int64_t n_, group_, groups_;
  // H w and H d, panel arrays.
  std::vector<float> moment_weights_, gradient_;
  // Of each row: lower triangle of the normal equations' matrix, [groups, groups, kRows], and their right side.
  std::vector<double> matrix_, right_;
};

}  // namespace

void RefinePanel(const FeedbackSystem& system, const GridOptions& options, int rounds, RoundingPanel& panel) {
  if (rounds > 0) PanelRefiner(system, options, panel).Refine(rounds);
}

}  // namespace tersor
