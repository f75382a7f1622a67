// Element types of stored tensors.
#ifndef TERSOR_CORE_TENSOR_DTYPE_H_
#define TERSOR_CORE_TENSOR_DTYPE_H_

#include <cstddef>
#include <optional>

#include "absl/strings/string_view.h"

namespace tersor {

enum class DType { kF32, kF16, kBF16, kF64, kF8E4M3, kF8E5M2, kI8, kU8, kI16, kU16, kI32, kU32, kI64, kU64, kBool };

// Bytes of one element.
size_t DTypeSize(DType dtype);
// As safetensors spells it: "F32", "BF16", "F8_E4M3", ...
absl::string_view DTypeName(DType dtype);
std::optional<DType> DTypeFromName(absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_TENSOR_DTYPE_H_
