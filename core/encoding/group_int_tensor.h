// Integer codes of 2 to 8 bits with a scale, and maybe a zero point, for each group of neighbouring inputs of a row.
#ifndef TERSOR_CORE_ENCODING_GROUP_INT_TENSOR_H_
#define TERSOR_CORE_ENCODING_GROUP_INT_TENSOR_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"
#include "core/encoding/group_int_row.h"

namespace tersor {

// value = (code - zero point) * scale, in float, with the scale as stored (F16). Codes and zero points are stored
// unsigned, 0 .. 2^bits - 1; a tensor without zero points ("symmetric") has 2^(bits-1) for all of them, so its signed
// codes are -2^(bits-1) .. 2^(bits-1) - 1. Scales may have either sign.
//
// Fields: "codes" U8 [rows, PackedBytes(columns, bits)], "scales" F16 [rows, groups] and, where not symmetric,
// "zero_points" U8 [rows, PackedBytes(groups, bits)]; rows are packed as in core/tensor/packed_ints.h.
// Parameters: {"bits": 4, "group_size": 64}.
class GroupIntTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "group-int";

  // `codes` [rows, columns] and `zero_points` [rows, groups] (or empty: symmetric) are unsigned and unpacked, `scales`
  // [rows, groups] are the bits of F16 numbers. INVALID_ARGUMENT says which part does not fit.
  static absl::StatusOr<std::shared_ptr<const GroupIntTensor>> Create(const GroupIntLayout& layout,
                                                                      std::span<const uint8_t> codes,
                                                                      std::span<const uint16_t> scales,
                                                                      std::span<const uint8_t> zero_points);
  // From fields as they are stored; `zero_points` without bytes where symmetric. INVALID_ARGUMENT as above.
  static absl::StatusOr<std::shared_ptr<const GroupIntTensor>> FromPacked(const GroupIntLayout& layout, Tensor codes,
                                                                          Tensor scales, Tensor zero_points);
  // Checks every shape and type, the parameters, and that all scales are finite.
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override;
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;

  int bits() const { return bits_; }
  int64_t group_size() const { return group_size_; }
  // Groups in a row.
  int64_t groups() const { return columns() / group_size_; }
  bool symmetric() const { return zero_points_.bytes().empty(); }

  // What exporters read; bounds are the caller's duty.
  // Unsigned codes of a row, `columns` of them.
  void CodesOfRow(int64_t row, uint8_t* codes) const;
  // Unsigned zero points of a row, `groups` of them; 2^(bits-1) where symmetric.
  void ZeroPointsOfRow(int64_t row, uint8_t* zero_points) const;
  // The stored scale: its F16 bits, and as a float.
  uint16_t ScaleBits(int64_t row, int64_t group) const;
  float Scale(int64_t row, int64_t group) const;

 private:
  GroupIntTensor(Shape shape, int bits, int64_t group_size, Tensor codes, Tensor scales, Tensor zero_points);
  std::span<const std::byte> PackedRow(const Tensor& tensor, int64_t row) const;

  Shape shape_;
  int bits_;
  int64_t group_size_;
  Tensor codes_;
  Tensor scales_;
  // Without bytes where symmetric.
  Tensor zero_points_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_GROUP_INT_TENSOR_H_
