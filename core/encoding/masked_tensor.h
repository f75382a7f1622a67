// A sparse matrix: a mask and the kept weights as floats.
#ifndef TERSOR_CORE_ENCODING_MASKED_TENSOR_H_
#define TERSOR_CORE_ENCODING_MASKED_TENSOR_H_

#include <span>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"
#include "core/encoding/sparse_mask.h"

namespace tersor {

// Fields: the mask's (sparse_mask.h) and "values" F32, F16 or BF16 [kept weights], row by row in rising order of
// columns. Parameters: the mask's.
class MaskedTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "masked";

  // The kept ones of `weights` [rows, columns], rounded to `dtype`. INVALID_ARGUMENT where one is then not finite.
  static absl::StatusOr<EncodedTensorPtr> Create(SparseMask mask, std::span<const float> weights, DType dtype);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override { return mask_.byte_size() + values_.bytes().size(); }
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;
  const SparseMask* mask() const override { return &mask_; }
  const Tensor& values() const { return values_; }

 private:
  MaskedTensor(SparseMask mask, Tensor values)
      : shape_({mask.rows(), mask.columns()}), mask_(std::move(mask)), values_(std::move(values)) {}
  Shape shape_;
  SparseMask mask_;
  Tensor values_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_MASKED_TENSOR_H_
