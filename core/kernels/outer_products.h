// Matrix products over the first dimension of both operands: what second moments and GPTQ's feedback are made of.
#ifndef TERSOR_CORE_KERNELS_OUTER_PRODUCTS_H_
#define TERSOR_CORE_KERNELS_OUTER_PRODUCTS_H_

#include <cstdint>

#include "core/kernels/scratch.h"

namespace tersor {

// c [a_columns, b_columns] += sum over k < depth of a[k]^T b[k], on the calling thread. Rows of a, b and c lie
// `a_stride`, `b_stride` and `c_stride` floats apart; b_columns is a multiple of 16. Each element is one chain of fused
// multiply-adds in the order of k, whatever the other sizes.
struct OuterProducts {
  int64_t depth = 0;
  const float* a = nullptr;
  int64_t a_stride = 0;
  int64_t a_columns = 0;
  const float* b = nullptr;
  int64_t b_stride = 0;
  int64_t b_columns = 0;
  float* c = nullptr;
  int64_t c_stride = 0;
};
void AddOuterProducts(const OuterProducts& product);

// Rows of a matrix cut into panels of columns that AddOuterProducts reads fast: panel p holds columns p * kPanelColumns
// .. as [rows][kPanelColumns], zeros after the last.
inline constexpr int64_t kPanelColumns = 64;

class ColumnPanels {
 public:
  ColumnPanels(int64_t rows, int64_t columns);

  // Copies row `row` from `source`. Different rows may be copied by different threads.
  void SetRow(int64_t row, const float* source);
  int64_t rows() const { return rows_; }
  int64_t panels() const { return panels_; }
  const float* panel(int64_t p) const { return storage_.data() + p * rows_ * kPanelColumns; }

 private:
  int64_t rows_, columns_, panels_;
  ScratchBuffer storage_;
};

// Some panels of each, by first and count.
struct PanelRange {
  int64_t first = 0;
  int64_t count = 0;
};

// c += left^T right over `rows` rows, of some panels, on the calling thread. c is the corner of those panels in the
// whole product; panels are written whole. With `lower_only` (left and right are the same range) panels above the
// diagonal are left alone.
void AddPanelMoments(const ColumnPanels& left, PanelRange left_range, const ColumnPanels& right, PanelRange right_range,
                     int64_t rows, bool lower_only, float* c, int64_t c_stride);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_OUTER_PRODUCTS_H_
