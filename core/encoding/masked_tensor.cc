#include "core/encoding/masked_tensor.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "core/tensor/float16.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

absl::Status CheckValues(const Tensor& values) {
  std::vector<float> floats(values.elements());
  TERSOR_RETURN_IF_ERROR(DecodeToFloat(values, 0, values.elements(), floats.data()));
  const auto bad = std::find_if_not(floats.begin(), floats.end(), [](float value) { return std::isfinite(value); });
  if (bad == floats.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("kept weight ", bad - floats.begin(), " is not a finite number"));
}

absl::StatusOr<Tensor> Encode(const std::vector<float>& values, DType dtype) {
  const Shape shape = {static_cast<int64_t>(values.size())};
  if (dtype == DType::kF32) return Tensor::Own(dtype, shape, values);
  std::vector<uint16_t> halves;
  halves.reserve(values.size());
  for (const float value : values) halves.push_back(dtype == DType::kF16 ? FloatToF16(value) : FloatToBF16(value));
  return Tensor::Own(dtype, shape, std::move(halves));
}

}  // namespace

absl::StatusOr<EncodedTensorPtr> MaskedTensor::Create(SparseMask mask, std::span<const float> weights, DType dtype) {
  if (dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBF16) {
    return absl::InvalidArgumentError(absl::StrCat("kept weights cannot be ", DTypeName(dtype)));
  }
  const int64_t columns = mask.columns();
  if (static_cast<int64_t>(weights.size()) != mask.rows() * columns) {
    return absl::InvalidArgumentError(absl::StrCat(weights.size(), " weights under a mask of ", mask.rows(), " rows"));
  }
  std::vector<float> kept;
  kept.reserve(mask.count());
  std::vector<uint8_t> marks(columns);
  for (int64_t row = 0; row < mask.rows(); ++row) {
    mask.KeptOfRow(row, marks.data());
    for (int64_t i = 0; i < columns; ++i) {
      if (marks[i] != 0) kept.push_back(weights[row * columns + i]);
    }
  }
  TERSOR_ASSIGN_OR_RETURN(Tensor values, Encode(kept, dtype));
  TERSOR_RETURN_IF_ERROR(CheckValues(values));
  return EncodedTensorPtr(new MaskedTensor(std::move(mask), std::move(values)));
}

absl::StatusOr<EncodedTensorPtr> MaskedTensor::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                          const nlohmann::json& parameters) {
  TERSOR_ASSIGN_OR_RETURN(SparseMask mask, SparseMask::FromFields(shape, fields, parameters));
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {mask.Field().name, "values"}));
  const auto found =
      std::find_if(fields.begin(), fields.end(), [](const auto& field) { return field.name == "values"; });
  const DType dtype = found == fields.end() ? DType::kF32 : found->tensor.dtype();
  if (dtype != DType::kF32 && dtype != DType::kF16 && dtype != DType::kBF16) {
    return absl::InvalidArgumentError(
        absl::StrCat("field \"values\" is ", DTypeName(dtype), ", expected F32, F16 or BF16"));
  }
  TERSOR_ASSIGN_OR_RETURN(Tensor values, TakeField(fields, "values", dtype, {mask.count()}));
  TERSOR_RETURN_IF_ERROR(CheckValues(values));
  return EncodedTensorPtr(new MaskedTensor(std::move(mask), std::move(values)));
}

void MaskedTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  const int64_t width = columns();
  std::vector<uint8_t> marks(width);
  std::vector<float> kept(width + 1);
  for (int64_t row = first; row < first + count; ++row, out += width) {
    mask_.KeptOfRow(row, marks.data());
    const int64_t start = mask_.RowStart(row);
    // Cannot fail: the count is the mask's.
    DecodeToFloat(values_, start, mask_.RowStart(row + 1) - start, kept.data()).IgnoreError();
    const float* next = kept.data();
    for (int64_t i = 0; i < width; ++i) {
      out[i] = marks[i] != 0 ? *next : 0.0f;
      next += marks[i];
    }
  }
}

std::vector<EncodedField> MaskedTensor::Fields() const { return {mask_.Field(), {"values", values_}}; }

nlohmann::json MaskedTensor::Parameters() const {
  nlohmann::json parameters = nlohmann::json::object();
  mask_.AddParameters(parameters);
  return parameters;
}

}  // namespace tersor
