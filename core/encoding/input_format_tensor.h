// A weight together with what its layer's inputs are quantized to.
#ifndef TERSOR_CORE_ENCODING_INPUT_FORMAT_TENSOR_H_
#define TERSOR_CORE_ENCODING_INPUT_FORMAT_TENSOR_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/activation_format.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// Decodes to what the weight decodes to; whoever multiplies with it applies input_format() to the inputs first.
// Fields are those of the weight under "weight." and those of the format under "input.". Parameters {"weight":
// {"encoding": "group-int", "parameters": {...}}, "input": {"format": "int-token", "parameters": {...}}}.
class InputFormatTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "quantized-input";

  // INVALID_ARGUMENT where the weight is no matrix, has an input format already, or the widths differ.
  static absl::StatusOr<EncodedTensorPtr> Create(EncodedTensorPtr weight, ActivationFormatPtr format);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return weight_->shape(); }
  uint64_t byte_size() const override;
  void DecodeRows(int64_t first, int64_t count, float* out) const override { weight_->DecodeRows(first, count, out); }
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;
  const ActivationFormat* input_format() const override { return format_.get(); }
  const EncodedTensor& weight() const override { return *weight_; }
  const SparseMask* mask() const override { return weight_->mask(); }

 private:
  InputFormatTensor(EncodedTensorPtr weight, ActivationFormatPtr format)
      : weight_(std::move(weight)), format_(std::move(format)) {}

  EncodedTensorPtr weight_;
  ActivationFormatPtr format_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_INPUT_FORMAT_TENSOR_H_
