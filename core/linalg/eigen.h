// Eigenvalues and eigenvectors of symmetric matrices, in double, on the calling thread.
#ifndef TERSOR_CORE_LINALG_EIGEN_H_
#define TERSOR_CORE_LINALG_EIGEN_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"

namespace tersor {

// A = sum over k of values[k] v_k v_k^T, values rising; v_k is row k of `vectors` [n, n], of length 1.
struct SymmetricEigen {
  std::vector<double> values;
  std::vector<double> vectors;
};

// LAPACK's workspace of 1 + 6n + 2n^2 numbers is counted in 32 bits.
inline constexpr int64_t kLargestEigenRows = 32000;

// `matrix` is n x n, row-major; only its lower triangle is read. INVALID_ARGUMENT where it is not finite or has more
// than kLargestEigenRows rows. Thread-safe.
absl::StatusOr<SymmetricEigen> DecomposeSymmetric(int64_t n, std::vector<double> matrix);

// Floating-point operations that it takes, on one thread.
double EigenOperations(int64_t n);

}  // namespace tersor

#endif  // TERSOR_CORE_LINALG_EIGEN_H_
