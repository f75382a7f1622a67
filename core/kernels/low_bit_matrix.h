// A weight matrix of 2 to 8-bit codes in groups, multiplied in that form.
#ifndef TERSOR_CORE_KERNELS_LOW_BIT_MATRIX_H_
#define TERSOR_CORE_KERNELS_LOW_BIT_MATRIX_H_

#include <cstdint>
#include <memory>
#include <span>

#include "absl/functional/function_ref.h"
#include "core/base/status.h"
#include "core/kernels/packed_matrix.h"
#include "core/kernels/row_matrix.h"

namespace tersor {

// What products with single rows are computed in.
enum class RowActivations {
  kFloat32,
  // Rounded to 8 bits in blocks of 32 inputs, as llama.cpp does; products within a block are exact integers.
  kInt8,
  // Rounded to 8 bits with one scale a row, as Int8Matrix does.
  kInt8Token,
};

// value = (code - zero point) * scale, group g of a row being columns g * group_size .. + group_size - 1.
struct LowBitLayout {
  int64_t outputs = 0;
  int64_t inputs = 0;
  // 2 to 8.
  int bits = 4;
  int64_t group_size = 0;
  // Without: the zero point is 2^(bits-1) everywhere.
  bool zero_points = false;
};

// Immutable and thread-safe; cheap to move. Rows are interleaved by 16 for streaming. It reads inputs x bits / 8 bytes
// of codes, and 2 bytes (with zero points 3, with a book 4) a group, for each output.
class LowBitMatrix final : public RowMatrix {
 public:
  // Whether Pack takes such groups: multiples of 32 inputs, or one group a row.
  static bool Supports(const LowBitLayout& layout);

  // `read(row, codes, scales, zero_points)` fills in a row: `inputs` unsigned codes, and of every group the bits of its
  // F16 scale and, where the layout has them, its zero point; it is called on `threads` threads. INVALID_ARGUMENT where
  // the layout is not supported.
  using ReadRow = absl::FunctionRef<void(int64_t row, std::span<uint8_t> codes, std::span<uint16_t> scales,
                                         std::span<uint8_t> zero_points)>;
  static absl::StatusOr<LowBitMatrix> Pack(const LowBitLayout& layout, RowActivations activations, int threads,
                                           ReadRow read);

  // The same for codes of 4 bits that stand for the values of `book`, with float scales: value = book[code] * scale.
  // Rows are multiplied in float32.
  using ReadBookRow = absl::FunctionRef<void(int64_t row, std::span<uint8_t> codes, std::span<float> scales)>;
  static absl::StatusOr<LowBitMatrix> PackBook(int64_t outputs, int64_t inputs, int64_t group_size,
                                               std::span<const float, 16> book, int threads, ReadBookRow read);

  LowBitMatrix();
  ~LowBitMatrix() override;
  LowBitMatrix(LowBitMatrix&&) noexcept;
  LowBitMatrix& operator=(LowBitMatrix&&) noexcept;

  const LowBitLayout& layout() const;
  RowActivations activations() const;
  int64_t outputs() const override;
  int64_t inputs() const override;
  int64_t panels() const override;
  absl::Status MultiplyPanels(int64_t first, int64_t count, const float* x, const float* bias, bool accumulate,
                              float* y) const override;

  // The values, for products over many rows; of the same bits as (code - zero point) * scale in float.
  absl::StatusOr<PackedMatrix> Decode(Precision precision, int threads) const;

 private:
  static absl::StatusOr<LowBitMatrix> Allocate(const LowBitLayout& layout, RowActivations activations,
                                               std::span<const float> book);

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_LOW_BIT_MATRIX_H_
