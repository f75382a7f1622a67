#include "core/encoding/field_check.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace tersor {

absl::Status CheckField(absl::string_view name, const Tensor& tensor, DType dtype, const Shape& shape) {
  if (tensor.dtype() == dtype && tensor.shape() == shape) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("field \"", name, "\" is ", DTypeName(tensor.dtype()), " ",
                                                 ShapeString(tensor.shape()), ", expected ", DTypeName(dtype), " ",
                                                 ShapeString(shape)));
}

absl::Status CheckScaleField(absl::string_view name, const Tensor& tensor, const Shape& shape) {
  const DType dtype = tensor.dtype();
  if (dtype != DType::kF16 && dtype != DType::kBF16 && dtype != DType::kF32) {
    return absl::InvalidArgumentError(
        absl::StrCat("field \"", name, "\" is ", DTypeName(dtype), ", expected F16, BF16 or F32"));
  }
  TERSOR_RETURN_IF_ERROR(CheckField(name, tensor, dtype, shape));
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  TERSOR_RETURN_IF_ERROR(DecodeToFloat(tensor, 0, tensor.elements(), values.data()));
  for (size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      return absl::InvalidArgumentError(absl::StrCat("number ", i, " of field \"", name, "\" is not finite"));
    }
  }
  return absl::OkStatus();
}

absl::Status TakeFields(const std::vector<EncodedField>& fields,
                        std::initializer_list<std::pair<absl::string_view, Tensor*>> places) {
  for (const EncodedField& field : fields) {
    Tensor* place = nullptr;
    for (const auto& [name, tensor] : places) {
      if (name == field.name) place = tensor;
    }
    if (place == nullptr || !place->bytes().empty() || field.tensor.bytes().empty()) {
      return absl::InvalidArgumentError(absl::StrCat("field \"", field.name, "\" is unknown, repeated or empty"));
    }
    *place = field.tensor;
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> IntegerParameter(const nlohmann::json& parameters, const char* key, int64_t low, int64_t high) {
  const auto found = parameters.is_object() ? parameters.find(key) : parameters.end();
  if (!parameters.is_object() || found == parameters.end() || !found->is_number_integer()) {
    return absl::InvalidArgumentError(absl::StrCat("parameter \"", key, "\" is missing or not an integer"));
  }
  const int64_t value =
      found->is_number_unsigned() && found->get<uint64_t>() > INT64_MAX ? INT64_MAX : found->get<int64_t>();
  if (value < low || value > high) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter \"", key, "\" is ", value, ", outside ", low, "..", high));
  }
  return value;
}

}  // namespace tersor
