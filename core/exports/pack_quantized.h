// The tensors of compressed-tensors' format "pack-quantized", both ways.
#ifndef TERSOR_CORE_EXPORTS_PACK_QUANTIZED_H_
#define TERSOR_CORE_EXPORTS_PACK_QUANTIZED_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/encoding/group_int_tensor.h"
#include "core/exports/compressed_tensors_config.h"
#include "core/formats/safetensors.h"

namespace tersor {

// "MODULE.weight_packed" I32 [rows, words], "MODULE.weight_scale" F16 [rows, groups], "MODULE.weight_shape" I64 [2]
// and, where not symmetric, "MODULE.weight_zero_point" I32 [ceil(rows * bits / 32), groups]. Codes of 4 or 8 bits.
struct PackedTensor {
  std::string name;
  Tensor tensor;
};
absl::StatusOr<std::vector<PackedTensor>> PackQuantized(absl::string_view module, const GroupIntTensor& weight);

// Names, types and shapes of what PackQuantized gives.
std::vector<TensorDeclaration> PackedDeclarations(absl::string_view module, const Shape& shape,
                                                  const PackedScheme& scheme);

// Rebuilds a module's weight. INVALID_ARGUMENT names the tensor that is missing or does not fit.
absl::StatusOr<std::shared_ptr<const GroupIntTensor>> UnpackQuantized(absl::string_view module,
                                                                      const PackedScheme& scheme,
                                                                      const Safetensors& file);

}  // namespace tersor

#endif  // TERSOR_CORE_EXPORTS_PACK_QUANTIZED_H_
