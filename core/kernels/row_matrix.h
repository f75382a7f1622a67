// A matrix that single rows, or a few of them, can be multiplied by, piece by piece.
#ifndef TERSOR_CORE_KERNELS_ROW_MATRIX_H_
#define TERSOR_CORE_KERNELS_ROW_MATRIX_H_

#include <cstdint>

#include "core/base/status.h"

namespace tersor {

// Operands of y = W x: `rows` rows of x [inputs], and of y [outputs], which is added to where `accumulate`; plus `bias`
// [outputs] unless null. Strides are between rows, in floats.
struct PanelRows {
  const float* x = nullptr;
  int64_t x_stride = 0;
  int64_t rows = 1;
  const float* bias = nullptr;
  bool accumulate = false;
  float* y = nullptr;
  int64_t y_stride = 0;
};

// W [outputs, inputs] in panels of neighbouring outputs, each of about the same cost. Const methods are thread-safe.
class RowMatrix {
 public:
  virtual ~RowMatrix() = default;

  virtual int64_t outputs() const = 0;
  virtual int64_t inputs() const = 0;
  // At least 1.
  virtual int64_t panels() const = 0;
  // The outputs of panels [first, first + count), on the calling thread; the operands are those of the whole matrix. An
  // output's bits depend neither on which panels nor on which rows are computed together.
  virtual absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const = 0;
  // The same of one row.
  absl::Status MultiplyPanels(int64_t first, int64_t count, const float* x, const float* bias, bool accumulate,
                              float* y) const {
    return MultiplyPanelRows(first, count, {x, inputs(), 1, bias, accumulate, y, outputs()});
  }
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_ROW_MATRIX_H_
