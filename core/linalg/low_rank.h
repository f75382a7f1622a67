// The best approximation of a matrix by one of low rank.
#ifndef TERSOR_CORE_LINALG_LOW_RANK_H_
#define TERSOR_CORE_LINALG_LOW_RANK_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"
#include "core/linalg/matrix_view.h"

namespace tersor {

// left [rows, rank] times right [rank, columns]. With M = U S V^T, left = U sqrt(S), right = sqrt(S) V^T of the `rank`
// largest singular values.
struct LowRankFactors {
  int64_t rank = 0;
  std::vector<float> left;
  std::vector<float> right;
};

// Nearest to `matrix` in the Frobenius norm, from the eigenvectors of its smaller Gram matrix: singular values below
// about a thousandth of the largest are inexact. `rank` is at least 1 and at most the smaller dimension;
// INVALID_ARGUMENT otherwise, or where the matrix is not finite. On the calling thread; thread-safe.
absl::StatusOr<LowRankFactors> FactorLowRank(ConstMatrixView matrix, int64_t rank);

}  // namespace tersor

#endif  // TERSOR_CORE_LINALG_LOW_RANK_H_
