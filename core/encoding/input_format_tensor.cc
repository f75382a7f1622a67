#include "core/encoding/input_format_tensor.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/activation_registry.h"
#include "core/encoding/encoding_registry.h"
#include "core/encoding/nested_fields.h"
#include "core/encoding/parameter_reader.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr absl::string_view kWeightPart = "weight", kInputPart = "input";

}  // namespace

absl::StatusOr<EncodedTensorPtr> InputFormatTensor::Create(EncodedTensorPtr weight, ActivationFormatPtr format) {
  if (weight->shape().size() != 2 || weight->input_format() != nullptr) {
    return absl::InvalidArgumentError("an input format belongs to a matrix that has none yet");
  }
  if (format->width() != weight->columns()) {
    return absl::InvalidArgumentError(absl::StrCat("an input format for ", format->width(),
                                                   " inputs does not fit a weight with ", weight->columns()));
  }
  return EncodedTensorPtr(new InputFormatTensor(std::move(weight), std::move(format)));
}

absl::StatusOr<EncodedTensorPtr> InputFormatTensor::FromFields(const Shape& shape,
                                                               const std::vector<EncodedField>& fields,
                                                               const nlohmann::json& parameters) {
  if (shape.size() != 2) return absl::InvalidArgumentError("an input format belongs to a matrix");
  TERSOR_RETURN_IF_ERROR(CheckParts(fields, {std::string(kWeightPart), std::string(kInputPart)}));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* weight, ObjectParameter(parameters, kWeightPart));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* input, ObjectParameter(parameters, kInputPart));
  TERSOR_ASSIGN_OR_RETURN(const std::string encoding, StringParameter(*weight, "encoding"));
  TERSOR_ASSIGN_OR_RETURN(const std::string name, StringParameter(*input, "format"));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* weight_parameters, ObjectParameter(*weight, "parameters"));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* input_parameters, ObjectParameter(*input, "parameters"));
  // One level only: nesting without end would exhaust the stack.
  if (encoding == kName) return absl::InvalidArgumentError("an input format within an input format");
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr tensor,
                          DecodeFields(encoding, shape, FieldsOf(kWeightPart, fields), *weight_parameters));
  TERSOR_ASSIGN_OR_RETURN(ActivationFormatPtr format,
                          RebuildActivationFormat(name, shape[1], FieldsOf(kInputPart, fields), *input_parameters));
  return Create(std::move(tensor), std::move(format));
}

uint64_t InputFormatTensor::byte_size() const {
  uint64_t bytes = weight_->byte_size();
  for (const EncodedField& field : format_->Fields()) bytes += field.tensor.bytes().size();
  return bytes;
}

std::vector<EncodedField> InputFormatTensor::Fields() const {
  std::vector<EncodedField> fields;
  AppendFields(kWeightPart, weight_->Fields(), fields);
  AppendFields(kInputPart, format_->Fields(), fields);
  return fields;
}

nlohmann::json InputFormatTensor::Parameters() const {
  return {{"weight", {{"encoding", std::string(weight_->encoding())}, {"parameters", weight_->Parameters()}}},
          {"input", {{"format", std::string(format_->name())}, {"parameters", format_->Parameters()}}}};
}

}  // namespace tersor
