// A matrix in GGUF's quantized blocks, as the file has them.
#ifndef TERSOR_CORE_ENCODING_GGUF_BLOCK_TENSOR_H_
#define TERSOR_CORE_ENCODING_GGUF_BLOCK_TENSOR_H_

#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"
#include "core/encoding/gguf_block_types.h"

namespace tersor {

// One field, "blocks": U8 [rows, columns / type.values * type.bytes]; parameters {"type": "Q4_1"}.
class GgufBlockTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "gguf-block";

  // `blocks` is U8 of rows x row bytes elements. INVALID_ARGUMENT where the columns are no multiple of the type's block
  // or the byte count does not fit.
  static absl::StatusOr<EncodedTensorPtr> Create(const GgufBlockType& type, Shape shape, Tensor blocks);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override { return blocks_.bytes().size(); }
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;
  const GgufBlockType& type() const { return type_; }

 private:
  GgufBlockTensor(const GgufBlockType& type, Shape shape, Tensor blocks)
      : type_(type), shape_(std::move(shape)), blocks_(std::move(blocks)) {}

  const GgufBlockType& type_;
  Shape shape_;
  Tensor blocks_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_GGUF_BLOCK_TENSOR_H_
