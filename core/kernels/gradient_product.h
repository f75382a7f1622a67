// The gradient of a linear layer's weight.
#ifndef TERSOR_CORE_KERNELS_GRADIENT_PRODUCT_H_
#define TERSOR_CORE_KERNELS_GRADIENT_PRODUCT_H_

#include <cstdint>

#include "core/kernels/outer_products.h"

namespace tersor {

// Copies rows of x [rows, columns], laid end to end, into panels, on `threads` threads.
ColumnPanels MakeColumnPanels(const float* x, int64_t rows, int64_t columns, int threads);

// Rows panel * kPanelColumns and following (as many as the panel has) of gradient [outputs, inputs] +=
// output_gradients^T inputs, with `left` the panels of output_gradients [rows, outputs] and `right` those of
// inputs [rows, inputs]; on the calling thread. Each element is one chain of fused multiply-adds in the order of rows:
// the sums of several batches have the bits of one batch that holds them end to end.
void AddGradientPanel(const ColumnPanels& left, int64_t outputs, int64_t panel, const ColumnPanels& right,
                      int64_t inputs, float* gradient);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_GRADIENT_PRODUCT_H_
