// A weight matrix in the matmul library's own layout.
#ifndef TERSOR_CORE_KERNELS_PACKED_MATRIX_H_
#define TERSOR_CORE_KERNELS_PACKED_MATRIX_H_

#include <cstdint>
#include <memory>
#include <span>

#include "core/base/status.h"
#include "core/kernels/precision.h"

namespace tersor {

// W [outputs, inputs], reordered once. Immutable after Pack and thread-safe; cheap to move.
// A row's product has the same bits whatever the number of rows, its place among them and the number of threads: each
// call works on its calling thread with single-threaded primitives, and callers split rows among threads.
class PackedMatrix {
 public:
  PackedMatrix();
  ~PackedMatrix();
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;

  // `weights` is row-major. UNIMPLEMENTED where the CPU cannot multiply in `precision`.
  static absl::StatusOr<PackedMatrix> Pack(std::span<const float> weights, int64_t outputs, int64_t inputs,
                                           Precision precision);

  int64_t outputs() const;
  int64_t inputs() const;

  // y [rows, outputs] = x [rows, inputs] W^T, plus `bias` [outputs] unless null, plus the old y where `accumulate`.
  // Strides are between rows, in floats.
  absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate, float* y,
                        int64_t y_stride) const;

  // Outputs come in panels that one row can be multiplied by one by one; see row_product.h.
  int64_t panels() const;
  // The outputs of panels [first, first + count) for one row; y and bias are those of the whole matrix.
  absl::Status MultiplyPanels(int64_t first, int64_t count, const float* x, const float* bias, bool accumulate,
                              float* y) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PACKED_MATRIX_H_
