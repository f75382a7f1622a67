// A matrix many of whose values are zero, multiplied by those that are not.
#ifndef TERSOR_CORE_KERNELS_SPARSE_MATRIX_H_
#define TERSOR_CORE_KERNELS_SPARSE_MATRIX_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "core/base/status.h"
#include "core/kernels/packed_matrix.h"
#include "core/kernels/row_matrix.h"

namespace tersor {

// How the values that are not left out are kept.
enum class SparseValues { kF32, kF16, kBF16, kCodes };

struct SparseShape {
  int64_t outputs = 0;
  int64_t inputs = 0;
  SparseValues values = SparseValues::kF32;
  // Of kCodes: inputs that share a scale and a zero point; value = (code - zero point) * scale.
  int64_t group_size = 0;
};

// One output as it is read.
struct SparseRow {
  // [inputs]: 1 where there is a value, else 0.
  std::vector<uint8_t> kept;
  // Those values in the order of inputs; exact in what they are kept as.
  std::vector<float> values;
  // In place of them: their codes, and the grids of all groups.
  std::vector<uint8_t> codes;
  std::vector<float> scales, zero_points;
};

// Immutable and thread-safe; cheap to move. A row reads a bit for each input and 4, 2 or 1 bytes for each value. Rows
// of x are multiplied in float32.
class SparseMatrix final : public RowMatrix {
 public:
  // Whether Pack takes such groups: multiples of 16 inputs, or one group a row.
  static bool Supports(const SparseShape& shape);

  // `read(output, row)` fills in an output; `row` has the sizes of the one before. Called on `threads` threads.
  using ReadRow = absl::FunctionRef<void(int64_t output, SparseRow& row)>;
  static absl::StatusOr<SparseMatrix> Pack(const SparseShape& shape, int threads, ReadRow read);

  SparseMatrix();
  ~SparseMatrix() override;
  SparseMatrix(SparseMatrix&&) noexcept;
  SparseMatrix& operator=(SparseMatrix&&) noexcept;

  int64_t outputs() const override;
  int64_t inputs() const override;
  int64_t panels() const override;
  // Of the values, masks and grids.
  int64_t byte_size() const;
  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override;

  // The values, for products over many rows.
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

#endif  // TERSOR_CORE_KERNELS_SPARSE_MATRIX_H_
