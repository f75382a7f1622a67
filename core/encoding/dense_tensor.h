// Floating-point values as they are: F32, F16, BF16 or F64.
#ifndef TERSOR_CORE_ENCODING_DENSE_TENSOR_H_
#define TERSOR_CORE_ENCODING_DENSE_TENSOR_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

class DenseTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "dense";

  // INVALID_ARGUMENT where the type is not a floating-point one that DecodeToFloat reads, or there are over 2
  // dimensions.
  static absl::StatusOr<EncodedTensorPtr> Create(Tensor values);
  // Float values that the tensor owns.
  static absl::StatusOr<EncodedTensorPtr> FromFloats(Shape shape, std::vector<float> values);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return values_.shape(); }
  uint64_t byte_size() const override { return values_.bytes().size(); }
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;
  const Tensor& values() const { return values_; }

 private:
  explicit DenseTensor(Tensor values) : values_(std::move(values)) {}
  Tensor values_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_DENSE_TENSOR_H_
