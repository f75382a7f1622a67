#include "core/encoding/dense_tensor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

bool IsFloating(DType dtype) {
  return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16 || dtype == DType::kF64;
}

}  // namespace

absl::StatusOr<EncodedTensorPtr> DenseTensor::Create(Tensor values) {
  if (!IsFloating(values.dtype())) {
    return absl::InvalidArgumentError(absl::StrCat("dtype ", DTypeName(values.dtype()), " is not floating point"));
  }
  if (values.shape().empty() || values.shape().size() > 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", ShapeString(values.shape()), " is neither a vector nor a matrix"));
  }
  return EncodedTensorPtr(new DenseTensor(std::move(values)));
}

absl::StatusOr<EncodedTensorPtr> DenseTensor::FromFloats(Shape shape, std::vector<float> values) {
  TERSOR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Own(DType::kF32, std::move(shape), std::move(values)));
  return Create(std::move(tensor));
}

absl::StatusOr<EncodedTensorPtr> DenseTensor::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                         const nlohmann::json&) {
  if (fields.size() != 1 || fields[0].name != "values" || fields[0].tensor.shape() != shape) {
    return absl::InvalidArgumentError("a dense tensor has one field, \"values\", of its own shape");
  }
  return Create(fields[0].tensor);
}

void DenseTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  // Cannot fail: Create checked the type, the caller the bounds.
  DecodeToFloat(values_, first * columns(), count * columns(), out).IgnoreError();
}

std::vector<EncodedField> DenseTensor::Fields() const { return {{"values", values_}}; }

nlohmann::json DenseTensor::Parameters() const { return nlohmann::json::object(); }

}  // namespace tersor
