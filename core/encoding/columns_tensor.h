// A matrix of which only some columns are other than zero.
#ifndef TERSOR_CORE_ENCODING_COLUMNS_TENSOR_H_
#define TERSOR_CORE_ENCODING_COLUMNS_TENSOR_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

// The float columns of OWQ and LLM.int8() as a term of a sum. Fields: "indices" U32 [k], rising; "values" F16 [rows,
// k]. No parameters.
class ColumnsTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "columns";

  // `values` [rows, indices.size()] are rounded to F16.
  static absl::StatusOr<EncodedTensorPtr> Create(const Shape& shape, std::vector<uint32_t> indices,
                                                 const std::vector<float>& values);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override { return indices_.bytes().size() + values_.bytes().size(); }
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override { return {{"indices", indices_}, {"values", values_}}; }
  nlohmann::json Parameters() const override;

  std::vector<uint32_t> Indices() const;
  // F16 [rows, k].
  const Tensor& values() const { return values_; }

 private:
  ColumnsTensor(Shape shape, Tensor indices, Tensor values)
      : shape_(std::move(shape)), indices_(std::move(indices)), values_(std::move(values)) {}
  static absl::StatusOr<EncodedTensorPtr> Build(const Shape& shape, Tensor indices, Tensor values);

  Shape shape_;
  Tensor indices_;
  Tensor values_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_COLUMNS_TENSOR_H_
