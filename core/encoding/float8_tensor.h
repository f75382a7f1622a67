// 8-bit floating-point weights with scales over blocks of the matrix, as FP8 checkpoints hold them.
#ifndef TERSOR_CORE_ENCODING_FLOAT8_TENSOR_H_
#define TERSOR_CORE_ENCODING_FLOAT8_TENSOR_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// value = F8 number * scale of its block, in float. Blocks are ceil(rows / R) rows by ceil(columns / C) columns large
// where the scales are [R, C]: [1, 1] is one scale for the matrix, [rows, 1] one a row.
//
// Fields: "values" F8_E4M3 or F8_E5M2 [rows, columns], "scales" F16, BF16 or F32 [R, C]. Parameters:
// {"block_rows": 1, "block_columns": 64}, which must cover the matrix with exactly R x C blocks.
class Float8Tensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "float8";

  // INVALID_ARGUMENT where types or shapes do not fit, a value is NaN or infinite, or a scale is not finite.
  static absl::StatusOr<EncodedTensorPtr> Create(Tensor values, Tensor scales, int64_t block_rows,
                                                 int64_t block_columns);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return values_.shape(); }
  uint64_t byte_size() const override { return values_.bytes().size() + scales_.bytes().size(); }
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override { return {{"values", values_}, {"scales", scales_}}; }
  nlohmann::json Parameters() const override;

  const Tensor& values() const { return values_; }
  const Tensor& scales() const { return scales_; }
  int64_t block_columns() const { return block_columns_; }
  // Of the block of `row` that begins at column `block` * block_columns().
  float Scale(int64_t row, int64_t block) const;

 private:
  Float8Tensor() = default;

  Tensor values_, scales_;
  int64_t block_rows_ = 1, block_columns_ = 1;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_FLOAT8_TENSOR_H_
