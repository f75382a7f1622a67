// A matrix of scaled signs, multiplied by looking sums of inputs up (LUT-GEMM, arXiv 2206.09557, section 3.2).
#ifndef TERSOR_CORE_KERNELS_BIT_PLANE_MATRIX_H_
#define TERSOR_CORE_KERNELS_BIT_PLANE_MATRIX_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/functional/function_ref.h"
#include "core/base/status.h"
#include "core/kernels/packed_matrix.h"
#include "core/kernels/row_matrix.h"

namespace tersor {

// value = sum over planes of scale[group, plane] * sign[plane], group g being columns g * group_size and up.
struct BitPlaneShape {
  int64_t outputs = 0;
  int64_t inputs = 0;
  // 1 to 8.
  int planes = 4;
  int64_t group_size = 0;
};

// Immutable and thread-safe; cheap to move. A row is multiplied in float32: for four inputs at a time all 16 signed
// sums lie in a table, which the signs of four weights index. It reads inputs x planes / 8 bytes of signs and 2 bytes a
// group and plane for each output.
class BitPlaneMatrix final : public RowMatrix {
 public:
  // Whether Pack takes such groups: multiples of 32 inputs, or one group a row.
  static bool Supports(const BitPlaneShape& shape);

  // `read(row, codes, scales)` fills in a row: bit i of a code is the sign in plane i (set: +1), scales are the bits of
  // F16 numbers, [groups][planes]. Called on `threads` threads.
  using ReadRow = absl::FunctionRef<void(int64_t row, std::span<uint8_t> codes, std::span<uint16_t> scales)>;
  static absl::StatusOr<BitPlaneMatrix> Pack(const BitPlaneShape& shape, int threads, ReadRow read);

  BitPlaneMatrix();
  ~BitPlaneMatrix() override;
  BitPlaneMatrix(BitPlaneMatrix&&) noexcept;
  BitPlaneMatrix& operator=(BitPlaneMatrix&&) noexcept;

  const BitPlaneShape& shape() const;
  int64_t outputs() const override;
  int64_t inputs() const override;
  int64_t panels() const override;
  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override;

  // The values, for products over many rows; planes are summed in their order, in float.
  absl::StatusOr<PackedMatrix> Decode(Precision precision, int threads) const {
    return DecodeOutputs(0, outputs(), precision, threads);
  }
  // Those of outputs [first, first + count); `first` is a multiple of 16.
  absl::StatusOr<PackedMatrix> DecodeOutputs(int64_t first, int64_t count, Precision precision, int threads) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_BIT_PLANE_MATRIX_H_
