#include "core/encoding/gguf_block_tensor.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace tersor {

absl::StatusOr<EncodedTensorPtr> GgufBlockTensor::Create(const GgufBlockType& type, Shape shape, Tensor blocks) {
  if (shape.empty() || shape.size() > 2 || ElementCount(shape) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", ShapeString(shape), " is neither a vector nor a matrix of sensible size"));
  }
  if (shape.back() % type.values != 0) {
    return absl::InvalidArgumentError(absl::StrCat("rows of ", shape.back(), " values are no multiple of the ",
                                                   type.values, " values of a ", type.name, " block"));
  }
  // Cannot overflow: a block has fewer bytes than values x 4, and the elements are under 2^62.
  const uint64_t expected = static_cast<uint64_t>(ElementCount(shape) / type.values) * type.bytes;
  if (blocks.dtype() != DType::kU8 || blocks.bytes().size() != expected) {
    return absl::InvalidArgumentError(absl::StrCat("shape ", ShapeString(shape), " of ", type.name, " takes ", expected,
                                                   " bytes, there are ", blocks.bytes().size(), " of type ",
                                                   DTypeName(blocks.dtype())));
  }
  const int64_t rows = shape.size() < 2 ? 1 : shape[0];
  const int64_t row_bytes = shape.back() / type.values * type.bytes;
  // The tensor keeps the old one's bytes alive.
  auto owner = std::make_shared<const Tensor>(blocks);
  TERSOR_ASSIGN_OR_RETURN(Tensor matrix, Tensor::View(DType::kU8, {rows, row_bytes}, blocks.bytes(), owner));
  return EncodedTensorPtr(new GgufBlockTensor(type, std::move(shape), std::move(matrix)));
}

absl::StatusOr<EncodedTensorPtr> GgufBlockTensor::FromFields(const Shape& shape,
                                                             const std::vector<EncodedField>& fields,
                                                             const nlohmann::json& parameters) {
  if (fields.size() != 1 || fields[0].name != "blocks") {
    return absl::InvalidArgumentError("a gguf-block tensor has one field, \"blocks\"");
  }
  if (!parameters.is_object() || !parameters.contains("type") || !parameters["type"].is_string()) {
    return absl::InvalidArgumentError("a gguf-block tensor has a parameter \"type\"");
  }
  const std::string name = parameters["type"].get<std::string>();
  const GgufBlockType* type = FindGgufBlockType(name);
  if (type == nullptr) return absl::InvalidArgumentError(absl::StrCat("unknown GGUF block type \"", name, "\""));
  return Create(*type, shape, fields[0].tensor);
}

void GgufBlockTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  const int64_t row_blocks = columns() / type_.values;
  type_.decode(blocks_.bytes().data() + first * row_blocks * type_.bytes, count * row_blocks, out);
}

std::vector<EncodedField> GgufBlockTensor::Fields() const { return {{"blocks", blocks_}}; }

nlohmann::json GgufBlockTensor::Parameters() const { return {{"type", std::string(type_.name)}}; }

}  // namespace tersor
