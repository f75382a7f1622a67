// Products of single rows with matrices, for decoding: bounded by memory bandwidth, not by arithmetic.
#ifndef TERSOR_CORE_KERNELS_ROW_PRODUCT_H_
#define TERSOR_CORE_KERNELS_ROW_PRODUCT_H_

#include <span>

#include "core/base/status.h"
#include "core/kernels/row_matrix.h"

namespace tersor {

// y [outputs] = matrix x [inputs], plus `bias` unless null, plus the old y where `accumulate`.
struct RowProduct {
  const RowMatrix* matrix = nullptr;
  const float* x = nullptr;
  const float* bias = nullptr;
  bool accumulate = false;
  float* y = nullptr;
};

// Runs independent products side by side on `threads` threads. Results do not depend on `threads`; they are close to
// those of products over many rows, but need not have the same bits.
absl::Status MultiplyRow(int threads, std::span<const RowProduct> products);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_ROW_PRODUCT_H_
