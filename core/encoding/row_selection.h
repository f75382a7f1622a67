// Some of a tensor's rows as a tensor of their own.
#ifndef TERSOR_CORE_ENCODING_ROW_SELECTION_H_
#define TERSOR_CORE_ENCODING_ROW_SELECTION_H_

#include <cstdint>

#include "core/encoding/encoded_tensor.h"

namespace tersor {

// Row r of the selection is row first + r / run * stride + r % run of the base. `rows` is a multiple of `run`.
struct RowSelection {
  int64_t rows = 0;
  int64_t first = 0;
  int64_t run = 1;
  int64_t stride = 1;

  // Row of the base.
  int64_t SourceOf(int64_t row) const { return first + row / run * stride + row % run; }
  bool contiguous() const { return run == rows; }
};

// In the base's encoding; a vector counts as rows of one value. Neighbouring rows stay mapped, all else is
// copied. OUT_OF_RANGE where the base has fewer rows; UNIMPLEMENTED where the encoding shares something between rows
// that the selection would tear apart.
absl::StatusOr<EncodedTensorPtr> SelectRows(const EncodedTensorPtr& base, const RowSelection& selection);

// The dense matrix with rows and columns exchanged. UNIMPLEMENTED where it is not dense.
absl::StatusOr<EncodedTensorPtr> TransposedDense(const EncodedTensor& matrix);

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_ROW_SELECTION_H_
