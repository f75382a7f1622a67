// Cholesky factors of symmetric positive definite matrices, in double, on the calling thread.
#ifndef TERSOR_CORE_LINALG_CHOLESKY_H_
#define TERSOR_CORE_LINALG_CHOLESKY_H_

#include <cstdint>
#include <span>

#include "core/base/status.h"

namespace tersor {

// Factors A = L L^T in place. `matrix` is n x n, row-major; only its lower triangle is read, and it receives L; the
// rest is undefined afterwards. FAILED_PRECONDITION names the pivot where A is not positive definite, INVALID_ARGUMENT
// says that A is not finite. Thread-safe.
absl::Status FactorLower(int64_t n, std::span<double> matrix);

// Solves A x = b in place of `b`, given FactorLower's L.
void SolveFactored(int64_t n, std::span<const double> lower, std::span<double> b);

}  // namespace tersor

#endif  // TERSOR_CORE_LINALG_CHOLESKY_H_
