#include "core/linalg/low_rank.h"

#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/linalg/products.h"
#include "core/linalg/single_thread.h"

namespace tersor {
namespace {

std::vector<float> Transpose(ConstMatrixView matrix) {
  std::vector<float> transposed(matrix.rows * matrix.columns);
  for (int64_t i = 0; i < matrix.rows; ++i) {
    for (int64_t j = 0; j < matrix.columns; ++j) transposed[j * matrix.rows + i] = matrix.at(i, j);
  }
  return transposed;
}

// The `count` eigenvectors of the n x n lower triangle with the largest eigenvalues, as rows, the largest first.
absl::StatusOr<std::vector<float>> TopEigenvectors(const std::vector<float>& gram, int64_t n, int64_t count) {
  std::vector<double> matrix(gram.begin(), gram.end()), values(n), vectors(n * count);
  std::vector<lapack_int> support(2 * std::max<int64_t>(count, 1));
  lapack_int found = 0;
  const BlasThreadScope one_thread;
  // A row-major lower triangle is a column-major upper one.
  const lapack_int size = static_cast<lapack_int>(n);
  const lapack_int info = LAPACKE_dsyevr(LAPACK_COL_MAJOR, 'V', 'I', 'U', size, matrix.data(), size, 0, 0,
                                         static_cast<lapack_int>(n - count + 1), size, 0, &found, values.data(),
                                         vectors.data(), size, support.data());
  if (info != 0 || found != count) return absl::InvalidArgumentError("the matrix has no finite eigenvectors");
  std::vector<float> rows(n * count);
  for (int64_t k = 0; k < count; ++k) {
    const double* vector = vectors.data() + (count - 1 - k) * n;
    std::copy_n(vector, n, rows.begin() + k * n);
  }
  return rows;
}

}  // namespace

absl::StatusOr<LowRankFactors> FactorLowRank(ConstMatrixView matrix, int64_t rank) {
  if (rank < 1 || rank > std::min(matrix.rows, matrix.columns)) {
    return absl::InvalidArgumentError(
        absl::StrCat("rank ", rank, " of a matrix of ", matrix.rows, " rows and ", matrix.columns, " columns"));
  }
  if (matrix.rows < matrix.columns) {
    const std::vector<float> transposed = Transpose(matrix);
    TERSOR_ASSIGN_OR_RETURN(LowRankFactors factors,
                            FactorLowRank({transposed.data(), matrix.columns, matrix.rows}, rank));
    std::vector<float> left = Transpose({factors.right.data(), rank, matrix.rows});
    factors.right = Transpose({factors.left.data(), matrix.columns, rank});
    factors.left = std::move(left);
    return factors;
  }
  const int64_t n = matrix.columns;
  std::vector<float> gram(n * n);
  AddGram(matrix, MatrixView(gram.data(), n, n));
  for (int64_t i = 0; i < n; ++i) {
    if (!std::isfinite(gram[i * n + i]))
      return absl::InvalidArgumentError("the matrix has elements that are not finite");
  }
  LowRankFactors factors{rank, std::vector<float>(matrix.rows * rank), {}};
  TERSOR_ASSIGN_OR_RETURN(factors.right, TopEigenvectors(gram, n, rank));
  AddProductTransposed(matrix, {factors.right.data(), rank, n}, {factors.left.data(), matrix.rows, rank});
  // The columns of left are U S; half of S, as a root, goes over to the right.
  for (int64_t k = 0; k < rank; ++k) {
    double square = 0;
    for (int64_t i = 0; i < matrix.rows; ++i) square += std::pow(factors.left[i * rank + k], 2);
    const float root = static_cast<float>(std::pow(square, 0.25));
    for (int64_t i = 0; i < matrix.rows && root > 0; ++i) factors.left[i * rank + k] /= root;
    for (int64_t j = 0; j < n; ++j) factors.right[k * n + j] *= root;
  }
  return factors;
}

}  // namespace tersor
