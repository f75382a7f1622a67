#include "core/encoding/bilevel_int_tensor.h"

#include <cstring>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "core/tensor/float16.h"
#include "core/tensor/packed_ints.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

absl::Status CheckLayout(const BilevelIntLayout& layout) {
  if (layout.rows < 1 || layout.columns < 1 || ElementCount({layout.rows, layout.columns}) < 0 ||
      layout.columns > (int64_t{1} << 40)) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", ShapeString({layout.rows, layout.columns}), " is not a matrix that can be stored"));
  }
  for (const int bits : {layout.bits, layout.scale_bits}) {
    if (bits >= kMinPackedBits && bits <= kMaxPackedBits) continue;
    return absl::InvalidArgumentError(absl::StrCat("bits must be 2 to 8, got ", bits));
  }
  if (layout.group_size < 1 || layout.columns % layout.group_size != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("group size ", layout.group_size, " does not divide ", layout.columns, " columns"));
  }
  if (layout.tile_rows < 1 || layout.tile_rows > (int64_t{1} << 40)) {
    return absl::InvalidArgumentError(absl::StrCat("a tile of ", layout.tile_rows, " rows"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Tensor> PackRows(const std::vector<uint8_t>& values, int64_t rows, int64_t columns, int bits) {
  if (static_cast<int64_t>(values.size()) != rows * columns) {
    return absl::InvalidArgumentError(absl::StrCat(values.size(), " codes are not ", rows, " rows of ", columns));
  }
  const int64_t row_bytes = PackedBytes(columns, bits);
  std::vector<std::byte> packed(rows * row_bytes);
  for (int64_t row = 0; row < rows; ++row) {
    TERSOR_RETURN_IF_ERROR(PackInts(std::span(values).subspan(row * columns, columns), bits,
                                    std::span<std::byte>(packed).subspan(row * row_bytes, row_bytes)));
  }
  return Tensor::Own<std::byte>(DType::kU8, {rows, row_bytes}, std::move(packed));
}

// Row `row` of a packed field; cannot fail, as the shapes were checked on construction.
void Unpack(const Tensor& tensor, int64_t row, int bits, std::span<uint8_t> values) {
  const int64_t row_bytes = tensor.shape()[1];
  UnpackInts(tensor.bytes().subspan(row * row_bytes, row_bytes), bits, 0, values).IgnoreError();
}

uint16_t HalfAt(const Tensor& tensor, int64_t index) {
  uint16_t bits;
  std::memcpy(&bits, tensor.bytes().data() + index * static_cast<int64_t>(sizeof(bits)), sizeof(bits));
  return bits;
}

}  // namespace

BilevelIntParts::BilevelIntParts(const BilevelIntLayout& layout)
    : codes(layout.rows * layout.columns),
      scale_codes(layout.rows * layout.groups()),
      zero_codes(layout.rows * layout.groups()),
      scale_grids(2 * layout.tiles() * layout.groups()),
      zero_grids(2 * layout.tiles() * layout.groups()) {}

absl::StatusOr<EncodedTensorPtr> BilevelIntTensor::Create(const BilevelIntLayout& layout,
                                                          const BilevelIntParts& parts) {
  TERSOR_RETURN_IF_ERROR(CheckLayout(layout));
  const int64_t groups = layout.groups();
  const Shape grids = {layout.tiles(), 2 * groups};
  Parts fields;
  TERSOR_ASSIGN_OR_RETURN(fields.codes, PackRows(parts.codes, layout.rows, layout.columns, layout.bits));
  TERSOR_ASSIGN_OR_RETURN(fields.scale_codes, PackRows(parts.scale_codes, layout.rows, groups, layout.scale_bits));
  TERSOR_ASSIGN_OR_RETURN(fields.zero_codes, PackRows(parts.zero_codes, layout.rows, groups, layout.scale_bits));
  TERSOR_ASSIGN_OR_RETURN(fields.scale_grids, Tensor::Own(DType::kF16, grids, parts.scale_grids));
  TERSOR_ASSIGN_OR_RETURN(fields.zero_grids, Tensor::Own(DType::kU8, grids, parts.zero_grids));
  TERSOR_RETURN_IF_ERROR(CheckFinite("scale_grids", fields.scale_grids));
  return EncodedTensorPtr(new BilevelIntTensor(layout, std::move(fields)));
}

absl::StatusOr<EncodedTensorPtr> BilevelIntTensor::FromFields(const Shape& shape,
                                                              const std::vector<EncodedField>& fields,
                                                              const nlohmann::json& parameters) {
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {"codes", "scale_codes", "zero_codes", "scale_grids", "zero_grids"}));
  if (shape.size() != 2) return absl::InvalidArgumentError("a bilevel-int tensor is a matrix");
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, IntegerParameter(parameters, "bits"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t group_size, IntegerParameter(parameters, "group_size"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t scale_bits, IntegerParameter(parameters, "scale_bits"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t tile_rows, IntegerParameter(parameters, "tile_rows"));
  const auto small = [](int64_t value) { return static_cast<int>(value < 0 || value > 9 ? 9 : value); };
  const BilevelIntLayout layout = {shape[0], shape[1], small(bits), group_size, small(scale_bits), tile_rows};
  TERSOR_RETURN_IF_ERROR(CheckLayout(layout));
  const int64_t groups = layout.groups(), group_bytes = PackedBytes(groups, layout.scale_bits);
  const Shape grids = {layout.tiles(), 2 * groups};
  Parts parts;
  TERSOR_ASSIGN_OR_RETURN(
      parts.codes, TakeField(fields, "codes", DType::kU8, {layout.rows, PackedBytes(layout.columns, layout.bits)}));
  TERSOR_ASSIGN_OR_RETURN(parts.scale_codes, TakeField(fields, "scale_codes", DType::kU8, {layout.rows, group_bytes}));
  TERSOR_ASSIGN_OR_RETURN(parts.zero_codes, TakeField(fields, "zero_codes", DType::kU8, {layout.rows, group_bytes}));
  TERSOR_ASSIGN_OR_RETURN(parts.scale_grids, TakeField(fields, "scale_grids", DType::kF16, grids));
  TERSOR_ASSIGN_OR_RETURN(parts.zero_grids, TakeField(fields, "zero_grids", DType::kU8, grids));
  TERSOR_RETURN_IF_ERROR(CheckFinite("scale_grids", parts.scale_grids));
  return EncodedTensorPtr(new BilevelIntTensor(layout, std::move(parts)));
}

uint64_t BilevelIntTensor::ByteSize(const BilevelIntLayout& layout) {
  const int64_t row = PackedBytes(layout.columns, layout.bits) + 2 * PackedBytes(layout.groups(), layout.scale_bits);
  return static_cast<uint64_t>(layout.rows * row + layout.tiles() * layout.groups() * 6);
}

void BilevelIntTensor::CodesOfRow(int64_t row, std::span<uint8_t> codes) const {
  Unpack(fields_.codes, row, layout_.bits, codes);
}

void BilevelIntTensor::ScaleCodesOfRow(int64_t row, std::span<uint8_t> codes) const {
  Unpack(fields_.scale_codes, row, layout_.scale_bits, codes);
}

void BilevelIntTensor::ZeroCodesOfRow(int64_t row, std::span<uint8_t> codes) const {
  Unpack(fields_.zero_codes, row, layout_.scale_bits, codes);
}

BilevelGrid BilevelIntTensor::GridOf(int64_t row, int64_t group) const {
  const auto* zero_grids = reinterpret_cast<const uint8_t*>(fields_.zero_grids.bytes().data());
  const int64_t at = 2 * (row / layout_.tile_rows * layout_.groups() + group);
  return {HalfAt(fields_.scale_grids, at), HalfAt(fields_.scale_grids, at + 1), zero_grids[at], zero_grids[at + 1]};
}

void BilevelIntTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  const int64_t groups = layout_.groups();
  std::vector<uint8_t> codes(layout_.columns), scales(groups), zeros(groups);
  for (int64_t row = first; row < first + count; ++row) {
    CodesOfRow(row, codes);
    ScaleCodesOfRow(row, scales);
    ZeroCodesOfRow(row, zeros);
    for (int64_t g = 0; g < groups; ++g) {
      const BilevelGrid grid = GridOf(row, g);
      const float scale = F16ToFloat(grid.least_scale) + static_cast<float>(scales[g]) * F16ToFloat(grid.scale_step);
      const float zero_point = static_cast<float>(grid.least_zero_point + zeros[g] * grid.zero_point_step);
      for (int64_t k = g * layout_.group_size; k < (g + 1) * layout_.group_size; ++k) {
        *out++ = (static_cast<float>(codes[k]) - zero_point) * scale;
      }
    }
  }
}

std::vector<EncodedField> BilevelIntTensor::Fields() const {
  return {{"codes", fields_.codes},
          {"scale_codes", fields_.scale_codes},
          {"zero_codes", fields_.zero_codes},
          {"scale_grids", fields_.scale_grids},
          {"zero_grids", fields_.zero_grids}};
}

nlohmann::json BilevelIntTensor::Parameters() const {
  return {{"bits", layout_.bits},
          {"group_size", layout_.group_size},
          {"scale_bits", layout_.scale_bits},
          {"tile_rows", layout_.tile_rows}};
}

}  // namespace tersor
