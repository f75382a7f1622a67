// Largest magnitudes of a matrix's columns.
#ifndef TERSOR_CORE_KERNELS_COLUMN_ABSMAX_H_
#define TERSOR_CORE_KERNELS_COLUMN_ABSMAX_H_

#include <cstdint>

namespace tersor {

// largest[c] = the larger one of itself and |x[r][c]| over all rows; `stride` is between rows, in floats. Infinity is
// larger than every number and NaN larger than infinity, so that a column that holds one ends with one. `largest` holds
// no negative numbers before. On the calling thread.
void AddColumnAbsMax(const float* x, int64_t stride, int64_t rows, int64_t columns, float* largest);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_COLUMN_ABSMAX_H_
