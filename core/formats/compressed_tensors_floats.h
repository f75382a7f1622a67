// compressed-tensors' weights of 8-bit and 4-bit floats. Private to core/formats.
#ifndef TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_FLOATS_H_
#define TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_FLOATS_H_

#include <string>

#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/formats/compressed_tensors_scheme.h"
#include "core/formats/quantized_readers.h"

namespace tersor {

// F8 weights with float scales by tensor, row, group or block ("float8"), or with powers of two ("codebook": MXFP8).
// INVALID_ARGUMENT says what does not fit.
absl::StatusOr<EncodedTensorPtr> ReadFloat8Weight(const WeightScheme& scheme, const Tensor& weight, Tensor scales);

// MXFP4 and NVFP4: takes MODULE.weight_packed, .weight_scale and, where it is there, .weight_global_scale.
absl::StatusOr<EncodedTensorPtr> ReadFloat4Weight(const WeightScheme& scheme, const std::string& module,
                                                  TensorPool& pool);

// Groups in a row by the scheme; INVALID_ARGUMENT where they do not divide it and no index (`indexed`) says otherwise.
absl::StatusOr<int64_t> GroupsOf(const WeightScheme& scheme, int64_t columns, bool indexed);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_FLOATS_H_
