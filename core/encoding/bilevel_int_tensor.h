// Integer codes in small groups whose scales and zero points are integer codes themselves.
#ifndef TERSOR_CORE_ENCODING_BILEVEL_INT_TENSOR_H_
#define TERSOR_CORE_ENCODING_BILEVEL_INT_TENSOR_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/encoding/encoded_tensor.h"

namespace tersor {

struct BilevelIntLayout {
  int64_t rows = 0;
  int64_t columns = 0;
  // Of a weight, 2 to 8.
  int bits = 3;
  // Columns of a group (beta_1); divides `columns`.
  int64_t group_size = 16;
  // Of a group's scale and zero point, 2 to 8.
  int scale_bits = 3;
  // Neighbouring rows whose groups of the same columns share a second-level grid (beta_2): a tile. The last may be
  // smaller.
  int64_t tile_rows = 16;

  int64_t groups() const { return columns / group_size; }
  int64_t tiles() const { return (rows + tile_rows - 1) / tile_rows; }
};

// The second-level grid of a tile's group: scale = least_scale + code * scale_step (both F16 bits), and its zero point
// likewise.
struct BilevelGrid {
  uint16_t least_scale = 0, scale_step = 0;
  uint8_t least_zero_point = 0, zero_point_step = 0;
};

// The parts unpacked.
struct BilevelIntParts {
  // [rows, columns], unsigned.
  std::vector<uint8_t> codes;
  // [rows, groups], unsigned.
  std::vector<uint8_t> scale_codes, zero_codes;
  // [tiles, groups, 2]: the least scale and the step between scales, as F16 bits.
  std::vector<uint16_t> scale_grids;
  // [tiles, groups, 2]: the least zero point and the step.
  std::vector<uint8_t> zero_grids;

  explicit BilevelIntParts(const BilevelIntLayout& layout);
};

// The base of SpQR (arXiv 2306.03078, section 4.2). With the grids of a weight's tile and group, scale = least + code *
// step and likewise the zero point; value = (code - zero point) * scale.
//
// Fields: "codes" U8 [rows, PackedBytes(columns, bits)], "scale_codes" and "zero_codes" U8 [rows, PackedBytes(groups,
// scale_bits)], "scale_grids" F16 and "zero_grids" U8 [tiles, 2 x groups]; rows packed as in core/tensor/packed_ints.h.
// Parameters: {"bits", "group_size", "scale_bits", "tile_rows"}.
class BilevelIntTensor final : public EncodedTensor {
 public:
  static constexpr absl::string_view kName = "bilevel-int";

  // INVALID_ARGUMENT says what does not fit.
  static absl::StatusOr<EncodedTensorPtr> Create(const BilevelIntLayout& layout, const BilevelIntParts& parts);
  static absl::StatusOr<EncodedTensorPtr> FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                     const nlohmann::json& parameters);
  static uint64_t ByteSize(const BilevelIntLayout& layout);

  absl::string_view encoding() const override { return kName; }
  const Shape& shape() const override { return shape_; }
  uint64_t byte_size() const override { return ByteSize(layout_); }
  void DecodeRows(int64_t first, int64_t count, float* out) const override;
  std::vector<EncodedField> Fields() const override;
  nlohmann::json Parameters() const override;

  const BilevelIntLayout& layout() const { return layout_; }
  // Unpack a row: its codes [columns], those of its groups' scales and of their zero points [groups].
  void CodesOfRow(int64_t row, std::span<uint8_t> codes) const;
  void ScaleCodesOfRow(int64_t row, std::span<uint8_t> codes) const;
  void ZeroCodesOfRow(int64_t row, std::span<uint8_t> codes) const;
  // That of a row's group.
  BilevelGrid GridOf(int64_t row, int64_t group) const;

 private:
  struct Parts {
    Tensor codes, scale_codes, zero_codes, scale_grids, zero_grids;
  };
  BilevelIntTensor(const BilevelIntLayout& layout, Parts fields)
      : layout_(layout), shape_({layout.rows, layout.columns}), fields_(std::move(fields)) {}

  BilevelIntLayout layout_;
  Shape shape_;
  Parts fields_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_BILEVEL_INT_TENSOR_H_
