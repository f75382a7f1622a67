#include "core/encoding/low_rank_tensor.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/encoding_registry.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/nested_fields.h"
#include "core/encoding/parameter_reader.h"
#include "core/encoding/sum_tensor.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr absl::string_view kLeft = "left", kRight = "right";

bool IsPlain(absl::string_view encoding) {
  return encoding != SumTensor::kName && encoding != LowRankTensor::kName && encoding != InputFormatTensor::kName;
}

absl::StatusOr<EncodedTensorPtr> Factor(absl::string_view part, const Shape& shape,
                                        const std::vector<EncodedField>& fields, const nlohmann::json& parameters) {
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* factor, ObjectParameter(parameters, part));
  TERSOR_ASSIGN_OR_RETURN(const std::string encoding, StringParameter(*factor, "encoding"));
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* inner, ObjectParameter(*factor, "parameters"));
  // One level only: nesting without end would exhaust the stack.
  if (!IsPlain(encoding)) return absl::InvalidArgumentError(absl::StrCat("a factor cannot be ", encoding));
  return DecodeFields(encoding, shape, FieldsOf(part, fields), *inner);
}

nlohmann::json Describe(const EncodedTensor& factor) {
  return {{"encoding", std::string(factor.encoding())}, {"parameters", factor.Parameters()}};
}

}  // namespace

absl::StatusOr<EncodedTensorPtr> LowRankTensor::Create(EncodedTensorPtr left, EncodedTensorPtr right) {
  if (left->shape().size() != 2 || right->shape().size() != 2 || left->columns() != right->rows() ||
      ElementCount({left->rows(), right->columns()}) < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("factors ", ShapeString(left->shape()), " and ", ShapeString(right->shape()), " make no matrix"));
  }
  if (!IsPlain(left->encoding()) || !IsPlain(right->encoding())) {
    return absl::InvalidArgumentError("factors are plain matrices");
  }
  return EncodedTensorPtr(new LowRankTensor(std::move(left), std::move(right)));
}

absl::StatusOr<EncodedTensorPtr> LowRankTensor::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                           const nlohmann::json& parameters) {
  TERSOR_ASSIGN_OR_RETURN(const int64_t rank, IntegerParameter(parameters, "rank"));
  if (shape.size() != 2 || rank < 1 || rank > std::min(shape[0], shape[1])) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", rank, " of a matrix ", ShapeString(shape)));
  }
  TERSOR_RETURN_IF_ERROR(CheckParts(fields, {std::string(kLeft), std::string(kRight)}));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr left, Factor(kLeft, {shape[0], rank}, fields, parameters));
  TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr right, Factor(kRight, {rank, shape[1]}, fields, parameters));
  return Create(std::move(left), std::move(right));
}

void LowRankTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  std::vector<float> left(count * rank());
  left_->DecodeRows(first, count, left.data());
  const std::vector<float> right = right_->Decode();
  std::fill_n(out, count * columns(), 0.0f);
  for (int64_t row = 0; row < count; ++row) {
    for (int64_t k = 0; k < rank(); ++k) {
      const float factor = left[row * rank() + k];
      for (int64_t i = 0; i < columns(); ++i) out[row * columns() + i] += factor * right[k * columns() + i];
    }
  }
}

std::vector<EncodedField> LowRankTensor::Fields() const {
  std::vector<EncodedField> fields;
  AppendFields(kLeft, left_->Fields(), fields);
  AppendFields(kRight, right_->Fields(), fields);
  return fields;
}

nlohmann::json LowRankTensor::Parameters() const {
  return {{"rank", rank()}, {"left", Describe(*left_)}, {"right", Describe(*right_)}};
}

}  // namespace tersor
