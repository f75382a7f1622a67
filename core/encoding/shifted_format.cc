#include "core/encoding/shifted_format.h"

#include <string>
#include <utility>

#include "core/encoding/activation_registry.h"
#include "core/encoding/nested_fields.h"
#include "core/encoding/parameter_reader.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr absl::string_view kShifts = "shifts", kInner = "inner";

}  // namespace

absl::StatusOr<ActivationFormatPtr> ShiftedFormat::Build(Tensor shifts, ActivationFormatPtr inner) {
  if (inner->name() == kName || shifts.elements() != inner->width()) {
    return absl::InvalidArgumentError("a shift belongs to a format of its width that has none yet");
  }
  TERSOR_RETURN_IF_ERROR(CheckFinite(kShifts, shifts));
  std::vector<float> values(static_cast<size_t>(shifts.elements()));
  TERSOR_RETURN_IF_ERROR(DecodeToFloat(shifts, 0, shifts.elements(), values.data()));
  return ActivationFormatPtr(new ShiftedFormat(std::move(shifts), std::move(values), std::move(inner)));
}

absl::StatusOr<ActivationFormatPtr> ShiftedFormat::Create(std::vector<float> shifts, ActivationFormatPtr inner) {
  const int64_t width = static_cast<int64_t>(shifts.size());
  TERSOR_ASSIGN_OR_RETURN(Tensor tensor, Tensor::Own(DType::kF32, {width}, std::move(shifts)));
  return Build(std::move(tensor), std::move(inner));
}

absl::StatusOr<ActivationFormatPtr> ShiftedFormat::Rebuild(int64_t width, const std::vector<EncodedField>& fields,
                                                           const nlohmann::json& parameters) {
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* inner, ObjectParameter(parameters, kInner));
  TERSOR_ASSIGN_OR_RETURN(const std::string name, StringParameter(*inner, "format"));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* inner_parameters, ObjectParameter(*inner, "parameters"));
  // One level only: nesting without end would exhaust the stack.
  if (name == kName) return absl::InvalidArgumentError("a shift within a shift");
  std::vector<EncodedField> others;
  for (const EncodedField& field : fields) {
    if (field.name != kShifts) others.push_back(field);
  }
  TERSOR_RETURN_IF_ERROR(CheckParts(others, {std::string(kInner)}));
  TERSOR_ASSIGN_OR_RETURN(Tensor shifts, TakeField(fields, kShifts, DType::kF32, {width}));
  TERSOR_ASSIGN_OR_RETURN(ActivationFormatPtr format,
                          RebuildActivationFormat(name, width, FieldsOf(kInner, fields), *inner_parameters));
  return Build(std::move(shifts), std::move(format));
}

void ShiftedFormat::Round(const float* x, int64_t rows, float* out) const {
  const int64_t count = rows * width();
  for (int64_t i = 0; i < count; ++i) out[i] = x[i] - values_[i % width()];
  inner_->Round(out, rows, out);
  for (int64_t i = 0; i < count; ++i) out[i] += values_[i % width()];
}

std::vector<EncodedField> ShiftedFormat::Fields() const {
  std::vector<EncodedField> fields = {{std::string(kShifts), shifts_}};
  AppendFields(kInner, inner_->Fields(), fields);
  return fields;
}

nlohmann::json ShiftedFormat::Parameters() const {
  return {{"inner", {{"format", std::string(inner_->name())}, {"parameters", inner_->Parameters()}}}};
}

}  // namespace tersor
