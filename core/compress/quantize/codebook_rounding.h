// Rounding of weights to a code book's values times a group's scale.
#ifndef TERSOR_CORE_COMPRESS_QUANTIZE_CODEBOOK_ROUNDING_H_
#define TERSOR_CORE_COMPRESS_QUANTIZE_CODEBOOK_ROUNDING_H_

#include <cstdint>

#include "core/base/status.h"
#include "core/encoding/codebook_tensor.h"
#include "core/encoding/planned_encoding.h"
#include "core/linalg/matrix_view.h"
#include "core/model/block.h"

namespace tersor {

struct CodebookOptions {
  const CodeBook* book = nullptr;
  // Divides the layer's inputs; -1 is one group a row.
  int64_t group_size = -1;
  ScaleForm scales = ScaleForm::kF16;
  // OCP MX's rule for powers of two (version 1.0, section 6.3): 2^(floor(log2 absmax) - the book's largest exponent),
  // by which the largest values may saturate. Else the smallest power that holds them.
  bool mx_scales = false;
};

// Each group's scale first, as it is stored: its largest magnitude becomes the book's largest value. Then the nearest
// values. `weights` are finite. INVALID_ARGUMENT where a scale is beyond what its form can hold.
absl::StatusOr<EncodedTensorPtr> RoundToCodebook(ConstMatrixView weights, const CodebookOptions& options, int threads);

// Floating-point operations that finding a weight's code takes.
double CodebookOperations(const CodebookOptions& options);

PlannedEncoding CodebookEncoding(const CodebookOptions& options, const LinearLayer& layer);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_QUANTIZE_CODEBOOK_ROUNDING_H_
