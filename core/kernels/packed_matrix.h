// A weight matrix in the matmul library's own layout.
#ifndef TERSOR_CORE_KERNELS_PACKED_MATRIX_H_
#define TERSOR_CORE_KERNELS_PACKED_MATRIX_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/functional/function_ref.h"
#include "core/base/status.h"
#include "core/kernels/precision.h"
#include "core/kernels/row_matrix.h"

namespace tersor {

// W [outputs, inputs], reordered once. Immutable after Pack and thread-safe; cheap to move.
// A row's product has the same bits whatever the number of rows, its place among them and the number of threads: each
// call works on its calling thread with single-threaded primitives, and callers split rows among threads.
class PackedMatrix final : public RowMatrix {
 public:
  PackedMatrix();
  ~PackedMatrix() override;
  PackedMatrix(PackedMatrix&&) noexcept;
  PackedMatrix& operator=(PackedMatrix&&) noexcept;

  // `weights` is row-major; `lasting` is false for values that are needed for one pass. UNIMPLEMENTED where the CPU
  // cannot multiply in `precision`.
  static absl::StatusOr<PackedMatrix> Pack(std::span<const float> weights, int64_t outputs, int64_t inputs,
                                           Precision precision, bool lasting = true);

  // W^T of `weights` [rows, columns], row-major: a matrix of `columns` outputs and `rows` inputs, which gradients of a
  // layer's inputs are products of.
  static absl::StatusOr<PackedMatrix> PackTransposed(std::span<const float> weights, int64_t rows, int64_t columns,
                                                     Precision precision, bool lasting = true);

  // The same from a source that makes its values `tile` outputs at a time (a divisor of 16), on `threads` threads:
  // fill(t, out, stride) puts input k of output t * tile + i at out[k * stride + i], for all inputs and i < tile;
  // beyond the last output it writes finite numbers. For values that are needed for one pass.
  using FillTile = absl::FunctionRef<void(int64_t t, float* out, int64_t stride)>;
  static absl::StatusOr<PackedMatrix> PackTiles(int64_t outputs, int64_t inputs, Precision precision, int threads,
                                                int64_t tile, FillTile fill);

  int64_t outputs() const override;
  int64_t inputs() const override;

  // y [rows, outputs] = x [rows, inputs] W^T, plus `bias` [outputs] unless null, plus the old y where `accumulate`.
  // Strides are between rows, in floats.
  absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate, float* y,
                        int64_t y_stride) const;

  int64_t panels() const override;
  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override;

 private:
  // Room for the packed values: beside other weights where they stay.
  static absl::StatusOr<PackedMatrix> Allocate(int64_t outputs, int64_t inputs, Precision precision, bool lasting);
  // Fills it from values at strides of floats.
  absl::Status Reorder(const float* values, int64_t input_stride, int64_t output_stride, int threads);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_PACKED_MATRIX_H_
