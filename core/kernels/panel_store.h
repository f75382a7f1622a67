// How finished products of a panel reach the rows that they belong to. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_PANEL_STORE_H_
#define TERSOR_CORE_KERNELS_PANEL_STORE_H_

#include <cstdint>

#include "core/kernels/row_matrix.h"

namespace tersor {

// products [rows][stride] are those of outputs [first, first + count).
inline void StorePanel(const float* products, int64_t stride, int64_t first, int64_t count, const PanelRows& rows) {
  for (int64_t row = 0; row < rows.rows; ++row, products += stride) {
    float* y = rows.y + row * rows.y_stride + first;
    for (int64_t i = 0; i < count; ++i) {
      float sum = products[i];
      if (rows.bias != nullptr) sum += rows.bias[first + i];
      y[i] = rows.accumulate ? y[i] + sum : sum;
    }
  }
}

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PANEL_STORE_H_
