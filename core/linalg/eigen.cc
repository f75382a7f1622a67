#include "core/linalg/eigen.h"

#include <lapacke.h>

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/linalg/single_thread.h"

namespace tersor {

absl::StatusOr<SymmetricEigen> DecomposeSymmetric(int64_t n, std::vector<double> matrix) {
  if (n > kLargestEigenRows) {
    return absl::InvalidArgumentError(
        absl::StrCat("eigenvectors of ", n, " rows are asked for; at most ", kLargestEigenRows, " can be had"));
  }
  if (n < 1 || static_cast<int64_t>(matrix.size()) / n != n) {
    return absl::InvalidArgumentError(absl::StrCat(matrix.size(), " elements are not a matrix of ", n, " rows"));
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j <= i; ++j) {
      if (!std::isfinite(matrix[i * n + j])) {
        return absl::InvalidArgumentError("the matrix has elements that are not finite");
      }
    }
  }
  SymmetricEigen eigen;
  eigen.values.resize(n);
  const BlasThreadScope one_thread;
  const lapack_int size = static_cast<lapack_int>(n);
  // A row-major lower triangle is a column-major upper one; its eigenvectors come as columns, which are rows here.
  const lapack_int info = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', size, matrix.data(), size, eigen.values.data());
  if (info != 0) return absl::InternalError(absl::StrCat("no eigenvectors were found (LAPACK's ", info, ")"));
  eigen.vectors = std::move(matrix);
  return eigen;
}

double EigenOperations(int64_t n) {
  const double size = static_cast<double>(n);
  return 9 * size * size * size;
}

}  // namespace tersor
