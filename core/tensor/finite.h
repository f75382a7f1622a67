// Looks for NaN and infinity.
#ifndef TERSOR_CORE_TENSOR_FINITE_H_
#define TERSOR_CORE_TENSOR_FINITE_H_

#include <cstddef>
#include <cstdint>

#include "core/tensor/dtype.h"

namespace tersor {

// Index of the first of `count` values at `bytes` (little-endian, need not be aligned) that is NaN or infinite; -1
// where all are finite. `dtype` is F32, F16, BF16 or F64; of other types every value counts as finite. Thread-safe.
int64_t FirstNonFinite(DType dtype, const std::byte* bytes, int64_t count);

}  // namespace tersor

#endif  // TERSOR_CORE_TENSOR_FINITE_H_
