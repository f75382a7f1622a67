#include "core/encoding/bit_plane_tensor.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "core/tensor/float16.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

absl::StatusOr<BitPlaneLayout> CheckLayout(BitPlaneLayout layout) {
  if (layout.planes < 1 || layout.planes > BitPlaneTensor::kMostPlanes) {
    return absl::InvalidArgumentError(absl::StrCat("planes must be 1 to 8, got ", layout.planes));
  }
  if (layout.rows < 1 || layout.columns < 1 || ElementCount({layout.rows, layout.columns, layout.planes}) < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", ShapeString({layout.rows, layout.columns}), " is not a matrix that can be stored"));
  }
  if (layout.group_size == -1) layout.group_size = layout.columns;
  if (layout.group_size < 1 || layout.columns % layout.group_size != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("group size ", layout.group_size, " does not divide ", layout.columns, " columns"));
  }
  return layout;
}

Shape SignShape(const BitPlaneLayout& layout) { return {layout.planes, layout.rows, (layout.columns + 7) / 8}; }

Shape ScaleShape(const BitPlaneLayout& layout) {
  return {layout.rows, layout.columns / layout.group_size, layout.planes};
}

// Bit `plane` of each code, eight to a byte, lowest bit first.
void PackSigns(const uint8_t* codes, int64_t count, int plane, uint8_t* signs) {
  constexpr uint64_t kLowestBits = 0x0101010101010101, kGather = 0x0102040810204080;
  int64_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t eight;
    std::memcpy(&eight, codes + i, sizeof(eight));
    // Byte k's bit lands in bit k of the highest byte.
    signs[i / 8] = static_cast<uint8_t>((((eight >> plane) & kLowestBits) * kGather) >> 56);
  }
  for (; i < count; ++i) signs[i / 8] |= static_cast<uint8_t>(((codes[i] >> plane) & 1u) << (i % 8));
}

}  // namespace

absl::StatusOr<EncodedTensorPtr> BitPlaneTensor::Create(const BitPlaneLayout& layout, std::span<const uint8_t> codes,
                                                        std::span<const uint16_t> scales) {
  TERSOR_ASSIGN_OR_RETURN(const BitPlaneLayout checked, CheckLayout(layout));
  if (static_cast<int64_t>(codes.size()) != checked.rows * checked.columns ||
      static_cast<int64_t>(scales.size()) != ElementCount(ScaleShape(checked))) {
    return absl::InvalidArgumentError(absl::StrCat(codes.size(), " codes and ", scales.size(), " scales do not make ",
                                                   checked.rows, " rows of ", checked.columns, " columns in ",
                                                   checked.planes, " planes"));
  }
  const Shape sign_shape = SignShape(checked);
  std::vector<uint8_t> signs(ElementCount(sign_shape));
  for (int plane = 0; plane < checked.planes; ++plane) {
    for (int64_t row = 0; row < checked.rows; ++row) {
      PackSigns(codes.data() + row * checked.columns, checked.columns, plane,
                signs.data() + (plane * checked.rows + row) * sign_shape[2]);
    }
  }
  TERSOR_ASSIGN_OR_RETURN(Tensor sign_tensor, Tensor::Own(DType::kU8, sign_shape, std::move(signs)));
  TERSOR_ASSIGN_OR_RETURN(Tensor scale_tensor,
                          Tensor::Own<uint16_t>(DType::kF16, ScaleShape(checked), {scales.begin(), scales.end()}));
  TERSOR_RETURN_IF_ERROR(CheckFinite("scales", scale_tensor));
  return EncodedTensorPtr(new BitPlaneTensor(checked, std::move(sign_tensor), std::move(scale_tensor)));
}

absl::StatusOr<EncodedTensorPtr> BitPlaneTensor::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                            const nlohmann::json& parameters) {
  TERSOR_ASSIGN_OR_RETURN(const int64_t planes, IntegerParameter(parameters, "planes"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t group_size, IntegerParameter(parameters, "group_size"));
  if (shape.size() != 2) return absl::InvalidArgumentError("a bit-planes tensor is a matrix");
  const int checked_planes = static_cast<int>(std::clamp<int64_t>(planes, 0, kMostPlanes + 1));
  TERSOR_ASSIGN_OR_RETURN(const BitPlaneLayout layout, CheckLayout({shape[0], shape[1], checked_planes, group_size}));
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {"signs", "scales"}));
  TERSOR_ASSIGN_OR_RETURN(Tensor signs, TakeField(fields, "signs", DType::kU8, SignShape(layout)));
  TERSOR_ASSIGN_OR_RETURN(Tensor scales, TakeField(fields, "scales", DType::kF16, ScaleShape(layout)));
  TERSOR_RETURN_IF_ERROR(CheckFinite("scales", scales));
  return EncodedTensorPtr(new BitPlaneTensor(layout, std::move(signs), std::move(scales)));
}

uint64_t BitPlaneTensor::ByteSize(const BitPlaneLayout& layout) {
  const int64_t group = layout.group_size == -1 ? layout.columns : layout.group_size;
  return static_cast<uint64_t>(layout.planes * layout.rows * ((layout.columns + 7) / 8 + 2 * (layout.columns / group)));
}

const uint8_t* BitPlaneTensor::Signs(int plane, int64_t row) const {
  return reinterpret_cast<const uint8_t*>(signs_.bytes().data()) + (plane * rows() + row) * row_bytes();
}

float BitPlaneTensor::Scale(int64_t row, int64_t group, int plane) const {
  uint16_t bits;
  const int64_t index = (row * groups() + group) * planes_ + plane;
  std::memcpy(&bits, scales_.bytes().data() + index * static_cast<int64_t>(sizeof(bits)), sizeof(bits));
  return F16ToFloat(bits);
}

void BitPlaneTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  for (int64_t row = first; row < first + count; ++row, out += columns()) {
    std::fill_n(out, columns(), 0.0f);
    for (int plane = 0; plane < planes_; ++plane) {
      const uint8_t* signs = Signs(plane, row);
      for (int64_t group = 0; group < groups(); ++group) {
        const float scale = Scale(row, group, plane);
        for (int64_t i = group * group_size_; i < (group + 1) * group_size_; ++i) {
          out[i] += (signs[i / 8] >> (i % 8)) & 1 ? scale : -scale;
        }
      }
    }
  }
}

std::vector<EncodedField> BitPlaneTensor::Fields() const { return {{"signs", signs_}, {"scales", scales_}}; }

nlohmann::json BitPlaneTensor::Parameters() const { return {{"planes", planes_}, {"group_size", group_size_}}; }

}  // namespace tersor
