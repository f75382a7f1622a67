// Upper triangular matrices cut into panels of columns, for products with panels of rows.
#ifndef TERSOR_CORE_KERNELS_TRIANGLE_PANELS_H_
#define TERSOR_CORE_KERNELS_TRIANGLE_PANELS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/kernels/outer_products.h"

namespace tersor {

// Panel p holds columns p * kPanelColumns .. of the rows down to its last column's, row-major and kPanelColumns wide:
// half of what the whole matrix would take. Zero until set.
class TrianglePanels {
 public:
  TrianglePanels() = default;
  explicit TrianglePanels(int64_t size) : size_(size), values_(Offset((size + kPanelColumns - 1) / kPanelColumns)) {}

  int64_t size() const { return size_; }
  int64_t panels() const { return (size_ + kPanelColumns - 1) / kPanelColumns; }
  // Rows that panel p holds: all that are not zero.
  int64_t rows(int64_t p) const { return std::min(size_, (p + 1) * kPanelColumns); }
  // Element (row 0, column); the column's next rows follow kPanelColumns floats apart.
  const float* column(int64_t column) const {
    return values_.data() + Offset(column / kPanelColumns) + column % kPanelColumns;
  }
  // row <= column.
  float& at(int64_t row, int64_t column) {
    return values_[Offset(column / kPanelColumns) + row * kPanelColumns + column % kPanelColumns];
  }

 private:
  static int64_t Offset(int64_t panel) { return kPanelColumns * kPanelColumns * (panel * (panel + 1) / 2); }

  int64_t size_ = 0;
  std::vector<float> values_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_TRIANGLE_PANELS_H_
