// Products of single rows, or of few, with matrices, for decoding: bounded by memory bandwidth rather than arithmetic.
#ifndef TERSOR_CORE_KERNELS_ROW_PRODUCT_H_
#define TERSOR_CORE_KERNELS_ROW_PRODUCT_H_

#include <span>

#include "core/base/status.h"
#include "core/kernels/row_matrix.h"

namespace tersor {

struct RowProduct {
  const RowMatrix* matrix = nullptr;
  PanelRows rows = {};
};

// Runs independent products side by side on `threads` threads. A row's bits depend neither on `threads` nor on the rows
// beside it; they are close to those of products over many rows, but need not be the same.
absl::Status MultiplyRows(int threads, std::span<const RowProduct> products);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_ROW_PRODUCT_H_
