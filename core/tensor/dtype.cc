#include "core/tensor/dtype.h"

#include <array>

namespace tersor {
namespace {

struct Row {
  DType dtype;
  size_t size;
  absl::string_view name;
};

constexpr std::array kRows = {
    Row{DType::kF32, 4, "F32"}, Row{DType::kF16, 2, "F16"},        Row{DType::kBF16, 2, "BF16"},
    Row{DType::kF64, 8, "F64"}, Row{DType::kF8E4M3, 1, "F8_E4M3"}, Row{DType::kF8E5M2, 1, "F8_E5M2"},
    Row{DType::kI8, 1, "I8"},   Row{DType::kU8, 1, "U8"},          Row{DType::kI16, 2, "I16"},
    Row{DType::kU16, 2, "U16"}, Row{DType::kI32, 4, "I32"},        Row{DType::kU32, 4, "U32"},
    Row{DType::kI64, 8, "I64"}, Row{DType::kU64, 8, "U64"},        Row{DType::kBool, 1, "BOOL"},
};

}  // namespace

size_t DTypeSize(DType dtype) { return kRows[static_cast<size_t>(dtype)].size; }

absl::string_view DTypeName(DType dtype) { return kRows[static_cast<size_t>(dtype)].name; }

std::optional<DType> DTypeFromName(absl::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

}  // namespace tersor
