// The sparse matrix with the least error of its outputs, by splitting: ADMM with a rising penalty (ALPS).
#ifndef TERSOR_CORE_COMPRESS_PRUNE_SPARSE_FIT_H_
#define TERSOR_CORE_COMPRESS_PRUNE_SPARSE_FIT_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/cancellation.h"
#include "core/base/status.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// The damped second moment, its inputs scaled to length 1, and its eigenvectors: what all layers of a segment share.
// Immutable after Create.
struct MomentSpectrum {
  int64_t columns = 0;
  // Root of each input's diagonal element: weights are multiplied by it before, and divided by it after.
  std::vector<float> lengths;
  // What damping adds to the scaled moment's diagonal.
  std::vector<float> damping;
  // The scaled moment, all of it.
  std::vector<float> moment;
  // Rising eigenvalues of that, and eigenvectors as rows.
  std::vector<double> values;
  std::vector<float> vectors;

  // `moment` holds X^T X in its lower triangle; `damping` is a share of its mean diagonal.
  static absl::StatusOr<MomentSpectrum> Create(ConstMatrixView moment, double damping);
};

struct SparseFit {
  // At most so many steps; fewer where the choice settles.
  int steps = 300;
  // Sets kept [rows, columns] to 1 for the weights of largest scores that may stay, else to 0.
  std::function<void(ConstMatrixView scores, std::vector<uint8_t>& kept)> choose;
  // 0 where a weight [rows, columns] is out already; empty: none is.
  std::span<const uint8_t> given = {};
  // D^T X, where D are the inputs that the dense model has in place of X, and the share of its difference from X^T X
  // that the outputs aimed at are those of; 0: those of the weights on X.
  ConstMatrixView dense_moment = {};
  double dense_correction = 0;
  int threads = 1;
  const CancellationToken* cancellation = nullptr;
};

struct FittedMatrix {
  // [rows, columns]: marks, and what the weights became, zero where they are left out.
  std::vector<uint8_t> kept;
  std::vector<float> values;
  int steps = 0;
};

// ALPS (arXiv 2406.07831): algorithm 1 with the authors' schedule of the penalty, then the best values of the weights
// that stay, by conjugate gradients on all rows at once. Of the two choices that the end of the iteration offers, that
// of the free and that of the projected iterate, the one with the smaller error. Does not depend on threads.
absl::StatusOr<FittedMatrix> FitSparse(const MomentSpectrum& spectrum, ConstMatrixView weights, const SparseFit& fit);

// Floating-point operations of `steps` steps on a layer.
double SparseFitOperations(int64_t outputs, int64_t inputs, int steps);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_PRUNE_SPARSE_FIT_H_
