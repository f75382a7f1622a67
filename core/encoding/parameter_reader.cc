#include "core/encoding/parameter_reader.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

absl::StatusOr<const nlohmann::json*> Value(const nlohmann::json& parameters, absl::string_view key, const char* type,
                                            bool (nlohmann::json::*is)() const noexcept) {
  const auto found = parameters.is_object() ? parameters.find(std::string(key)) : parameters.end();
  if (parameters.is_object() && found != parameters.end() && ((*found).*is)()) return &*found;
  return absl::InvalidArgumentError(absl::StrCat("parameter \"", key, "\" is missing or not ", type));
}

}  // namespace

absl::StatusOr<int64_t> IntegerParameter(const nlohmann::json& parameters, absl::string_view key) {
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* value,
                          Value(parameters, key, "an integer", &nlohmann::json::is_number_integer));
  return value->get<int64_t>();
}

absl::StatusOr<double> NumberParameter(const nlohmann::json& parameters, absl::string_view key) {
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* value, Value(parameters, key, "a number", &nlohmann::json::is_number));
  return value->get<double>();
}

absl::StatusOr<bool> BooleanParameter(const nlohmann::json& parameters, absl::string_view key) {
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* value,
                          Value(parameters, key, "true or false", &nlohmann::json::is_boolean));
  return value->get<bool>();
}

absl::StatusOr<std::string> StringParameter(const nlohmann::json& parameters, absl::string_view key) {
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* value, Value(parameters, key, "a string", &nlohmann::json::is_string));
  return value->get<std::string>();
}

absl::StatusOr<const nlohmann::json*> ObjectParameter(const nlohmann::json& parameters, absl::string_view key) {
  return Value(parameters, key, "an object", &nlohmann::json::is_object);
}

absl::StatusOr<Tensor> TakeField(const std::vector<EncodedField>& fields, absl::string_view name, DType dtype,
                                 const Shape& shape) {
  const auto field = std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.name == name; });
  if (field == fields.end()) return absl::InvalidArgumentError(absl::StrCat("field \"", name, "\" is missing"));
  const Tensor& tensor = field->tensor;
  if (tensor.dtype() == dtype && tensor.shape() == shape) return tensor;
  return absl::InvalidArgumentError(absl::StrCat("field \"", name, "\" is ", DTypeName(tensor.dtype()), " ",
                                                 ShapeString(tensor.shape()), ", expected ", DTypeName(dtype), " ",
                                                 ShapeString(shape)));
}

absl::Status CheckFieldNames(const std::vector<EncodedField>& fields, const std::vector<absl::string_view>& known) {
  std::set<absl::string_view> seen;
  for (const EncodedField& field : fields) {
    if (std::find(known.begin(), known.end(), field.name) == known.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "field \"", field.name, "\" is unknown; known: ", known.empty() ? "none" : absl::StrJoin(known, ", ")));
    }
    if (!seen.insert(field.name).second) {
      return absl::InvalidArgumentError(absl::StrCat("field \"", field.name, "\" stands there twice"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFinite(absl::string_view name, const Tensor& values) {
  std::vector<float> decoded(static_cast<size_t>(values.elements()));
  TERSOR_RETURN_IF_ERROR(DecodeToFloat(values, 0, values.elements(), decoded.data()));
  for (size_t i = 0; i < decoded.size(); ++i) {
    if (std::isfinite(decoded[i])) continue;
    return absl::InvalidArgumentError(absl::StrCat("element ", i, " of field \"", name, "\" is not a finite number"));
  }
  return absl::OkStatus();
}

}  // namespace tersor
