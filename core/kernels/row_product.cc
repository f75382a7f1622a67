#include "core/kernels/row_product.h"

#include <algorithm>

#include "core/kernels/parallel.h"

namespace tersor {

absl::Status MultiplyRows(int threads, std::span<const RowProduct> products) {
  int64_t panels = 0;
  for (const RowProduct& product : products) panels += product.matrix->panels();
  const int64_t parts = std::min<int64_t>(std::max(threads, 1), panels);
  // Each thread takes an equal share of all products' panels, one after the other.
  return ParallelFor(threads, parts, [&](int64_t part) {
    int64_t first = panels * part / parts;
    int64_t left = panels * (part + 1) / parts - first;
    for (const RowProduct& product : products) {
      const int64_t here = product.matrix->panels();
      const int64_t count = std::min(left, here - first);
      if (count > 0) {
        TERSOR_RETURN_IF_ERROR(product.matrix->MultiplyPanelRows(first, count, product.rows));
        left -= count;
      }
      first = std::max<int64_t>(0, first - here);
    }
    return absl::OkStatus();
  });
}

}  // namespace tersor
