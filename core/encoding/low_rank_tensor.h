// A matrix as the product of two thin ones.
#ifndef TERSOR_CORE_ENCODING_LOW_RANK_TENSOR_H_
#define TERSOR_CORE_ENCODING_LOW_RANK_TENSOR_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// left [rows, rank] times right [rank, columns], each in an encoding of its own, summed over the rank in rising order.
// Fields under "left." and "right."; parameters {"rank": 8, "left": {"encoding": ..., "parameters": {...}}, "right":
// ...}.
class LowRankTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "low-rank";

  // Factors are matrices in a plain encoding: no sum, no product, no input format.
  static absl::StatusOr<EncodedTensorPtr> Create(EncodedTensorPtr left, EncodedTensorPtr right);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override { return left_->byte_size() + right_->byte_size(); }
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;
  const EncodedTensor& left() const { return *left_; }
  const EncodedTensor& right() const { return *right_; }
  int64_t rank() const { return left_->columns(); }

 private:
  LowRankTensor(EncodedTensorPtr left, EncodedTensorPtr right)
      : shape_({left->rows(), right->columns()}), left_(std::move(left)), right_(std::move(right)) {}

  Shape shape_;
  EncodedTensorPtr left_;
  EncodedTensorPtr right_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_LOW_RANK_TENSOR_H_
