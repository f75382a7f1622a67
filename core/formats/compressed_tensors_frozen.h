// Weights that a checkpoint of status "frozen" stores as they were, beside the scales that they are rounded with.
// Private to core/formats.
#ifndef TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_FROZEN_H_
#define TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_FROZEN_H_

#include <cstdint>
#include <vector>

#include "core/base/status.h"
#include "core/encoding/indexed_int_tensor.h"
#include "core/tensor/tensor.h"

namespace tersor {

// The codes [rows, columns] that compressed-tensors' `quantize` gives `weight` with the scales, zero points and groups
// of `parts`, 2^(bits-1) added: quotients are rounded to the wider of both types before they are rounded to whole
// numbers, ties to even. INVALID_ARGUMENT where a type is not F32, F16 or BF16, or a shape does not fit.
absl::StatusOr<std::vector<uint8_t>> FrozenCodes(const Tensor& weight, const IntParts& parts);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_COMPRESSED_TENSORS_FROZEN_H_
