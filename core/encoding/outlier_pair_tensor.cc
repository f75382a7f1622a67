#include "core/encoding/outlier_pair_tensor.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "core/tensor/packed_ints.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

absl::StatusOr<OutlierPairLayout> CheckLayout(OutlierPairLayout layout) {
  if (layout.bits != 4 && layout.bits != 8) {
    return absl::InvalidArgumentError(absl::StrCat("outlier-victim pairs have 4 or 8 bits, got ", layout.bits));
  }
  if (layout.rows < 1 || layout.columns < 1 || ElementCount({layout.rows, layout.columns}) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", ShapeString({layout.rows, layout.columns}), " is not a matrix that can be stored"));
  }
  if (layout.group_size == -1) layout.group_size = layout.columns;
  if (layout.group_size < 2 || layout.group_size % 2 != 0 || layout.columns % layout.group_size != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("groups of ", layout.group_size, " do not divide ", layout.columns, " columns into pairs"));
  }
  return layout;
}

Shape CodeShape(const OutlierPairLayout& layout) { return {layout.rows, PackedBytes(layout.columns, layout.bits)}; }

Shape ScaleShape(const OutlierPairLayout& layout) { return {layout.rows, layout.columns / layout.group_size}; }

}  // namespace

absl::StatusOr<EncodedTensorPtr> OutlierPairTensor::Create(const OutlierPairLayout& layout,
                                                           std::span<const uint8_t> codes,
                                                           std::span<const uint16_t> scales) {
  TERSOR_ASSIGN_OR_RETURN(const OutlierPairLayout checked, CheckLayout(layout));
  if (static_cast<int64_t>(codes.size()) != checked.rows * checked.columns ||
      static_cast<int64_t>(scales.size()) != ElementCount(ScaleShape(checked))) {
    return absl::InvalidArgumentError(absl::StrCat(codes.size(), " codes and ", scales.size(),
                                                   " scales do not make a matrix ",
                                                   ShapeString({checked.rows, checked.columns})));
  }
  const Shape code_shape = CodeShape(checked);
  std::vector<std::byte> packed(ElementCount(code_shape));
  for (int64_t row = 0; row < checked.rows; ++row) {
    TERSOR_RETURN_IF_ERROR(PackInts(codes.subspan(row * checked.columns, checked.columns), checked.bits,
                                    std::span<std::byte>(packed).subspan(row * code_shape[1], code_shape[1])));
  }
  TERSOR_ASSIGN_OR_RETURN(Tensor code_tensor, Tensor::Own<std::byte>(DType::kU8, code_shape, std::move(packed)));
  TERSOR_ASSIGN_OR_RETURN(Tensor scale_tensor,
                          Tensor::Own<uint16_t>(DType::kF16, ScaleShape(checked), {scales.begin(), scales.end()}));
  TERSOR_RETURN_IF_ERROR(CheckFinite("scales", scale_tensor));
  return EncodedTensorPtr(new OutlierPairTensor(checked, std::move(code_tensor), std::move(scale_tensor)));
}

absl::StatusOr<EncodedTensorPtr> OutlierPairTensor::FromFields(const Shape& shape,
                                                               const std::vector<EncodedField>& fields,
                                                               const nlohmann::json& parameters) {
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, IntegerParameter(parameters, "bits"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t group_size, IntegerParameter(parameters, "group_size"));
  if (shape.size() != 2) return absl::InvalidArgumentError("an outlier-pairs tensor is a matrix");
  const int checked_bits = static_cast<int>(std::clamp<int64_t>(bits, 0, 9));
  TERSOR_ASSIGN_OR_RETURN(const OutlierPairLayout layout, CheckLayout({shape[0], shape[1], checked_bits, group_size}));
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {"codes", "scales"}));
  TERSOR_ASSIGN_OR_RETURN(Tensor codes, TakeField(fields, "codes", DType::kU8, CodeShape(layout)));
  TERSOR_ASSIGN_OR_RETURN(Tensor scales, TakeField(fields, "scales", DType::kF16, ScaleShape(layout)));
  TERSOR_RETURN_IF_ERROR(CheckFinite("scales", scales));
  return EncodedTensorPtr(new OutlierPairTensor(layout, std::move(codes), std::move(scales)));
}

uint64_t OutlierPairTensor::ByteSize(const OutlierPairLayout& layout) {
  const int64_t group = layout.group_size == -1 ? layout.columns : layout.group_size;
  return static_cast<uint64_t>(layout.rows * (PackedBytes(layout.columns, layout.bits) + 2 * (layout.columns / group)));
}

void OutlierPairTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  const int64_t width = columns(), groups = width / group_size_;
  std::vector<float> scales(groups);
  for (int64_t row = first; row < first + count; ++row, out += width) {
    UnitsOfRow(row, out);
    // Cannot fail: the shapes were checked on construction.
    DecodeToFloat(scales_, row * groups, groups, scales.data()).IgnoreError();
    for (int64_t i = 0; i < width; ++i) out[i] *= scales[i / group_size_];
  }
}

void OutlierPairTensor::UnitsOfRow(int64_t row, float* units) const {
  const int64_t row_bytes = codes_.shape()[1];
  std::vector<uint8_t> codes(columns());
  // Cannot fail, as above.
  UnpackInts(codes_.bytes().subspan(row * row_bytes, row_bytes), pairs_.bits(), 0, codes).IgnoreError();
  for (int64_t i = 0; i < columns(); i += 2) pairs_.Decode(codes.data() + i, units + i);
}

uint16_t OutlierPairTensor::ScaleBits(int64_t row, int64_t group) const {
  uint16_t bits;
  std::memcpy(&bits, scales_.bytes().data() + (row * (columns() / group_size_) + group) * sizeof(bits), sizeof(bits));
  return bits;
}

nlohmann::json OutlierPairTensor::Parameters() const { return {{"bits", pairs_.bits()}, {"group_size", group_size_}}; }

}  // namespace tersor
