#include "core/encoding/columns_tensor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "core/tensor/float16.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

std::vector<uint32_t> ReadIndices(const Tensor& tensor) {
  std::vector<uint32_t> indices(tensor.bytes().size() / sizeof(uint32_t));
  std::memcpy(indices.data(), tensor.bytes().data(), tensor.bytes().size());
  return indices;
}

}  // namespace

absl::StatusOr<EncodedTensorPtr> ColumnsTensor::Build(const Shape& shape, Tensor indices, Tensor values) {
  int64_t least = 0;
  for (const uint32_t index : ReadIndices(indices)) {
    if (index < least || index >= shape[1]) {
      return absl::InvalidArgumentError(
          absl::StrCat("column ", index, " is out of order or beyond the ", shape[1], " columns"));
    }
    least = int64_t{index} + 1;
  }
  TERSOR_RETURN_IF_ERROR(CheckFinite("values", values));
  return EncodedTensorPtr(new ColumnsTensor(shape, std::move(indices), std::move(values)));
}

absl::StatusOr<EncodedTensorPtr> ColumnsTensor::Create(const Shape& shape, std::vector<uint32_t> indices,
                                                       const std::vector<float>& values) {
  const int64_t count = static_cast<int64_t>(indices.size());
  if (shape.size() != 2 || ElementCount(shape) < 1 || count < 1 ||
      static_cast<int64_t>(values.size()) != shape[0] * count) {
    return absl::InvalidArgumentError(
        absl::StrCat(values.size(), " values are not ", count, " columns of a matrix ", ShapeString(shape)));
  }
  std::vector<uint16_t> halves;
  for (const float value : values) halves.push_back(FloatToF16(value));
  TERSOR_ASSIGN_OR_RETURN(Tensor index_tensor, Tensor::Own(DType::kU32, {count}, std::move(indices)));
  TERSOR_ASSIGN_OR_RETURN(Tensor value_tensor, Tensor::Own(DType::kF16, {shape[0], count}, std::move(halves)));
  return Build(shape, std::move(index_tensor), std::move(value_tensor));
}

absl::StatusOr<EncodedTensorPtr> ColumnsTensor::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                           const nlohmann::json&) {
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {"indices", "values"}));
  if (shape.size() != 2 || fields.empty()) return absl::InvalidArgumentError("a columns tensor is a matrix");
  const auto indices = std::find_if(fields.begin(), fields.end(), [](const auto& f) { return f.name == "indices"; });
  const int64_t count = indices == fields.end() ? 0 : indices->tensor.elements();
  TERSOR_ASSIGN_OR_RETURN(Tensor index_tensor, TakeField(fields, "indices", DType::kU32, {count}));
  TERSOR_ASSIGN_OR_RETURN(Tensor value_tensor, TakeField(fields, "values", DType::kF16, {shape[0], count}));
  return Build(shape, std::move(index_tensor), std::move(value_tensor));
}

void ColumnsTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  const std::vector<uint32_t> indices = ReadIndices(indices_);
  const int64_t width = static_cast<int64_t>(indices.size());
  std::vector<float> row(indices.size());
  std::fill_n(out, count * columns(), 0.0f);
  for (int64_t r = 0; r < count; ++r) {
    // Cannot fail: the type was checked on construction.
    DecodeToFloat(values_, (first + r) * width, width, row.data()).IgnoreError();
    for (int64_t k = 0; k < width; ++k) out[r * columns() + indices[k]] = row[k];
  }
}

nlohmann::json ColumnsTensor::Parameters() const { return nlohmann::json::object(); }

std::vector<uint32_t> ColumnsTensor::Indices() const { return ReadIndices(indices_); }

}  // namespace tersor
