#include "core/linalg/cholesky.h"

#include <cblas.h>
#include <lapacke.h>

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "core/linalg/single_thread.h"

namespace tersor {
namespace {

// Where factoring stopped; n where it did not.
absl::StatusOr<int64_t> FailedPivot(int64_t n, std::span<double> matrix) {
  if (n < 1 || n > std::numeric_limits<int>::max() || static_cast<int64_t>(matrix.size()) / n != n) {
    return absl::InvalidArgumentError(absl::StrCat(matrix.size(), " elements are not a matrix of ", n, " rows"));
  }
  const BlasThreadScope one_thread;
  // A row-major lower triangle is a column-major upper one.
  const lapack_int info =
      LAPACKE_dpotrf(LAPACK_COL_MAJOR, 'U', static_cast<lapack_int>(n), matrix.data(), static_cast<lapack_int>(n));
  if (info < 0) return absl::InvalidArgumentError("the matrix has elements that are not finite");
  for (int64_t i = 0; info == 0 && i < n; ++i) {
    if (!std::isfinite(matrix[i * n + i])) {
      return absl::InvalidArgumentError("the matrix has elements that are not finite");
    }
  }
  return info == 0 ? n : info - 1;
}

}  // namespace

absl::Status FactorLower(int64_t n, std::span<double> matrix) {
  TERSOR_ASSIGN_OR_RETURN(const int64_t pivot, FailedPivot(n, matrix));
  if (pivot == n) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("the matrix is not positive definite: pivot ", pivot, " of ", n, " is not positive"));
}

void SolveFactored(int64_t n, std::span<const double> lower, std::span<double> b) {
  const BlasThreadScope one_thread;
  const int size = static_cast<int>(n);
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, size, lower.data(), size, b.data(), 1);
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, size, lower.data(), size, b.data(), 1);
}

}  // namespace tersor
