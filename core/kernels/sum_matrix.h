// A matrix of low-bit codes with float terms added, multiplied in that form.
#ifndef TERSOR_CORE_KERNELS_SUM_MATRIX_H_
#define TERSOR_CORE_KERNELS_SUM_MATRIX_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/status.h"
#include "core/kernels/low_bit_matrix.h"
#include "core/kernels/row_matrix.h"
#include "core/kernels/row_term.h"

namespace tersor {

// base + terms. The base sees the activations that it was packed for, terms see them in float. Immutable and
// thread-safe; cheap to move.
class SumMatrix final : public RowMatrix {
 public:
  // INVALID_ARGUMENT where the shapes differ.
  static absl::StatusOr<SumMatrix> Create(LowBitMatrix base, std::vector<std::unique_ptr<RowTerm>> terms);

  int64_t outputs() const override { return base_.outputs(); }
  int64_t inputs() const override { return base_.inputs(); }
  int64_t panels() const override { return base_.panels(); }
  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override;
  // The values, for products over many rows: the base's, then the terms' added in their order.
  absl::StatusOr<PackedMatrix> Decode(Precision precision, int threads) const {
    return DecodeOutputs(0, outputs(), precision, threads);
  }
  // Those of outputs [first, first + count); `first` is a multiple of 16.
  absl::StatusOr<PackedMatrix> DecodeOutputs(int64_t first, int64_t count, Precision precision, int threads) const;

 private:
  SumMatrix(LowBitMatrix base, std::vector<std::unique_ptr<RowTerm>> terms)
      : base_(std::move(base)), terms_(std::move(terms)) {}

  LowBitMatrix base_;
  std::vector<std::unique_ptr<RowTerm>> terms_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_SUM_MATRIX_H_
