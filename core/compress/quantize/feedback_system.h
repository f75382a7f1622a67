// The second moment of a layer's inputs, factored for rounding with error feedback.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_SYSTEM_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_SYSTEM_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"
#include "core/kernels/triangle_panels.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// The order in which columns are rounded.
enum class ColumnOrder {
  // As they stand.
  kNatural,
  // Groups by falling mean diagonal, and within each group columns by falling diagonal: groups keep
  // their original columns and stay together.
  kFallingGroups,
};

// With H = X^T X + damping in the order of rounding and H = R R^T, R upper triangular, the error d of a row costs
// d H d^T = |d R|^2. Rounding columns in order, column k is rounded from w_k + sum over i < k of d_i R_ik / R_kk, which
// is what GPTQ (arXiv 2210.17323) computes from the inverse's Cholesky factor: the best value given the columns before,
// if those after were free. Its error costs R_kk^2. Working on R itself saves the inverse. All parts are in the order
// of rounding. Immutable after Create.
struct FeedbackSystem {
  int64_t columns = 0;
  // Column of the layer at each position.
  std::vector<int64_t> order;
  // R_ik / R_kk, upper triangular with ones on the diagonal.
  TrianglePanels feedback;
  // R_kk^2.
  std::vector<float> importance;
  // H itself, all of it, and 1 / H_kk; empty where not asked for.
  std::vector<float> moment;
  std::vector<float> inverse_diagonal;

  // `moment` holds X^T X in its lower triangle. `damping` is a share of the mean diagonal. FAILED_PRECONDITION where it
  // cannot be factored. `group_columns` matters to kFallingGroups alone.
  static absl::StatusOr<FeedbackSystem> Create(ConstMatrixView moment, double damping, ColumnOrder order,
                                               int64_t group_columns, bool keep_moment = false);
  // In an order of the caller's: a permutation of the columns.
  static absl::StatusOr<FeedbackSystem> Create(ConstMatrixView moment, double damping, std::vector<int64_t> order,
                                               bool keep_moment);
  // Rounds every column for itself: nothing is fed back, and all errors cost the same.
  static FeedbackSystem WithoutFeedback(std::vector<int64_t> order);
};

// Floating-point operations that Create takes, on one thread.
double FactorOperations(int64_t columns);

// The positions of columns as ColumnOrder says; ties in natural order.
std::vector<int64_t> OrderColumns(ConstMatrixView moment, ColumnOrder order, int64_t group_columns);

// What damping adds to the diagonal: a share of its mean, and never nothing where the mean is 0.
double DampingTerm(ConstMatrixView moment, double damping);

// The damped second moment in the given order, all of it, row-major.
std::vector<double> DampedMoment(ConstMatrixView moment, double damping, const std::vector<int64_t>& order);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_FEEDBACK_SYSTEM_H_
