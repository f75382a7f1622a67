#include "core/encoding/sum_tensor.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/encoding_registry.h"
#include "core/encoding/input_format_tensor.h"
#include "core/encoding/nested_fields.h"
#include "core/encoding/parameter_reader.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

std::string PartName(size_t term) { return absl::StrCat("term", term); }

}  // namespace

absl::StatusOr<EncodedTensorPtr> SumTensor::Create(std::vector<EncodedTensorPtr> terms) {
  if (terms.size() < 2 || terms.size() > kMostTerms) {
    return absl::InvalidArgumentError(absl::StrCat("a sum has 2 to ", kMostTerms, " terms, got ", terms.size()));
  }
  for (const EncodedTensorPtr& term : terms) {
    if (term->shape().size() != 2 || term->shape() != terms[0]->shape()) {
      return absl::InvalidArgumentError(absl::StrCat("terms of shapes ", ShapeString(terms[0]->shape()), " and ",
                                                     ShapeString(term->shape()), " do not add up to a matrix"));
    }
    if (term->encoding() == kName || term->input_format() != nullptr) {
      return absl::InvalidArgumentError(absl::StrCat("a tensor of encoding ", term->encoding(), " is no term"));
    }
  }
  return EncodedTensorPtr(new SumTensor(std::move(terms)));
}

absl::StatusOr<EncodedTensorPtr> SumTensor::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                       const nlohmann::json& parameters) {
  const auto list = parameters.is_object() ? parameters.find("terms") : parameters.end();
  if (!parameters.is_object() || list == parameters.end() || !list->is_array() || list->size() > kMostTerms) {
    return absl::InvalidArgumentError("a sum's parameters hold a list \"terms\" of 2 to 8 terms");
  }
  std::vector<std::string> parts;
  for (size_t i = 0; i < list->size(); ++i) parts.push_back(PartName(i));
  TERSOR_RETURN_IF_ERROR(CheckParts(fields, parts));
  std::vector<EncodedTensorPtr> terms;
  for (size_t i = 0; i < list->size(); ++i) {
    TERSOR_ASSIGN_OR_RETURN(const std::string encoding, StringParameter((*list)[i], "encoding"));
    TERSOR_ASSIGN_OR_RETURN(const nlohmann::json* term, ObjectParameter((*list)[i], "parameters"));
    // One level only: nesting without end would exhaust the stack.
    if (encoding == kName || encoding == InputFormatTensor::kName) {
      return absl::InvalidArgumentError(absl::StrCat("a tensor of encoding ", encoding, " is no term"));
    }
    TERSOR_ASSIGN_OR_RETURN(EncodedTensorPtr tensor, DecodeFields(encoding, shape, FieldsOf(parts[i], fields), *term));
    terms.push_back(std::move(tensor));
  }
  return Create(std::move(terms));
}

uint64_t SumTensor::byte_size() const {
  uint64_t bytes = 0;
  for (const EncodedTensorPtr& term : terms_) bytes += term->byte_size();
  return bytes;
}

void SumTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  terms_[0]->DecodeRows(first, count, out);
  std::vector<float> term(count * columns());
  for (size_t i = 1; i < terms_.size(); ++i) {
    terms_[i]->DecodeRows(first, count, term.data());
    std::transform(term.begin(), term.end(), out, out, [](float a, float b) { return b + a; });
  }
}

std::vector<EncodedField> SumTensor::Fields() const {
  std::vector<EncodedField> fields;
  for (size_t i = 0; i < terms_.size(); ++i) AppendFields(PartName(i), terms_[i]->Fields(), fields);
  return fields;
}

nlohmann::json SumTensor::Parameters() const {
  nlohmann::json terms = nlohmann::json::array();
  for (const EncodedTensorPtr& term : terms_) {
    terms.push_back({{"encoding", std::string(term->encoding())}, {"parameters", term->Parameters()}});
  }
  return {{"terms", std::move(terms)}};
}

}  // namespace tersor
