// Products of one row, or of few, with a panel of packed weights: what decoding spends its time on.
// Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_PANEL_PRODUCT_H_
#define TERSOR_CORE_KERNELS_PANEL_PRODUCT_H_

#include <cstdint>

namespace tersor {

// y [rows][width] = x [rows][depth] times the panel; `width` is a multiple of 16. Strides are between rows.
struct PanelOperands {
  int64_t depth = 0;
  int64_t width = 0;
  const float* x = nullptr;
  int64_t x_stride = 0;
  int64_t rows = 1;
  float* y = nullptr;
  int64_t y_stride = 0;
};

// Of weights panel[depth][width]. Each value is one chain of fused multiply-adds in the order of depth.
void PanelProduct(const float* panel, const PanelOperands& operands);

// The same over bf16 weights in pairs of k: panel[k / 2][0 .. width)[k % 2]; an odd depth's last pair ends with zeros.
void PanelProduct(const uint16_t* panel, const PanelOperands& operands);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PANEL_PRODUCT_H_
