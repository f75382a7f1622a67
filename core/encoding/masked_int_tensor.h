// A sparse matrix: a mask and the kept weights as integer codes with scales for groups of columns.
#ifndef TERSOR_CORE_ENCODING_MASKED_INT_TENSOR_H_
#define TERSOR_CORE_ENCODING_MASKED_INT_TENSOR_H_

#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/sparse_mask.h"

namespace tersor {

// Like group-int (group_int_tensor.h) with the codes of the kept weights alone; groups are those of all columns, as
// there. Fields: the mask's (sparse_mask.h), "codes" U8 [bytes]: each row's codes packed as in
// core/tensor/packed_ints.h, the next row's from the next whole byte on; "scales" and "zero_points" as in group-int.
// Parameters: the mask's, "bits", "group_size" and "symmetric" (no zero points).
class MaskedIntTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "masked-int";

  // Takes the kept weights' codes over. INVALID_ARGUMENT where another weight of `dense` is not 0.
  static absl::StatusOr<EncodedTensorPtr> Create(SparseMask mask, const GroupIntTensor& dense);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override;
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;
  const SparseMask* mask() const override { return &mask_; }

  int bits() const { return bits_; }
  int64_t group_size() const { return group_size_; }
  int64_t groups() const { return columns() / group_size_; }
  // Unsigned codes of a row's kept weights.
  void CodesOfRow(int64_t row, uint8_t* codes) const;
  // Scales and zero points of a row, `groups` each.
  void GridsOfRow(int64_t row, float* scales, float* zero_points) const;

 private:
  MaskedIntTensor(SparseMask mask, int bits, int64_t group_size, Tensor codes, Tensor scales, Tensor zero_points);

  Shape shape_;
  SparseMask mask_;
  int bits_;
  int64_t group_size_;
  Tensor codes_;
  Tensor scales_;
  // Without bytes where symmetric.
  Tensor zero_points_;
  // First byte of each row's codes.
  std::vector<int64_t> code_starts_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_MASKED_INT_TENSOR_H_
