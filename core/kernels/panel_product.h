// Product of one row with a panel of packed weights: what decoding token by token spends its time on.
// Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_PANEL_PRODUCT_H_
#define TERSOR_CORE_KERNELS_PANEL_PRODUCT_H_

#include <cstdint>

namespace tersor {

// y [width] = sum over k of x[k] * panel[k][0 .. width); `width` is a multiple of 16.
void PanelProduct(const float* panel, int64_t depth, int64_t width, const float* x, float* y);

// The same over bf16 weights in pairs of k: panel[k / 2][0 .. width)[k % 2]; an odd depth's last pair ends with zeros.
void PanelProduct(const uint16_t* panel, int64_t depth, int64_t width, const float* x, float* y);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PANEL_PRODUCT_H_
