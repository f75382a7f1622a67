// A matrix that single rows can be multiplied by, piece by piece.
#ifndef TERSOR_CORE_KERNELS_ROW_MATRIX_H_
#define TERSOR_CORE_KERNELS_ROW_MATRIX_H_

#include <cstdint>

#include "core/base/status.h"

namespace tersor {

// W [outputs, inputs] in panels of neighbouring outputs, each of about the same cost. Const methods are thread-safe.
class RowMatrix {
 public:
  virtual ~RowMatrix() = default;

  virtual int64_t outputs() const = 0;
  virtual int64_t inputs() const = 0;
  // At least 1.
  virtual int64_t panels() const = 0;
  // The outputs of panels [first, first + count) of W x, on the calling thread: plus `bias` [outputs] unless null, plus
  // the old y where `accumulate`. x, bias and y are those of the whole matrix. An output's bits do not depend on which
  // panels are computed together.
  virtual absl::Status MultiplyPanels(int64_t first, int64_t count, const float* x, const float* bias, bool accumulate,
                                      float* y) const = 0;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_ROW_MATRIX_H_
