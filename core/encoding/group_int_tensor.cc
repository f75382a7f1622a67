#include "core/encoding/group_int_tensor.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/group_int_row.h"
#include "core/tensor/float16.h"
#include "core/tensor/packed_ints.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

// Checks the grid and resolves a group size of -1.
absl::StatusOr<GroupIntLayout> CheckLayout(GroupIntLayout layout) {
  if (layout.bits < kMinPackedBits || layout.bits > kMaxPackedBits) {
    return absl::InvalidArgumentError(absl::StrCat("bits must be 2 to 8, got ", layout.bits));
  }
  if (layout.rows < 1 || layout.columns < 1 || ElementCount({layout.rows, layout.columns}) < 0 ||
      layout.columns > (int64_t{1} << 40)) {
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

absl::Status CheckField(absl::string_view name, const Tensor& tensor, DType dtype, const Shape& shape) {
  if (tensor.dtype() == dtype && tensor.shape() == shape) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("field \"", name, "\" is ", DTypeName(tensor.dtype()), " ",
                                                 ShapeString(tensor.shape()), ", expected ", DTypeName(dtype), " ",
                                                 ShapeString(shape)));
}

uint16_t ScaleBitsAt(const Tensor& scales, int64_t index) {
  uint16_t bits;
  std::memcpy(&bits, scales.bytes().data() + index * sizeof(bits), sizeof(bits));
  return bits;
}

absl::Status CheckScales(const Tensor& scales) {
  const int64_t count = scales.elements();
  for (int64_t i = 0; i < count; ++i) {
    if ((ScaleBitsAt(scales, i) & 0x7c00u) == 0x7c00u) {
      return absl::InvalidArgumentError(absl::StrCat("scale ", i, " is not a finite number"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Tensor> PackRows(std::span<const uint8_t> values, int64_t rows, int64_t columns, int bits) {
  const int64_t row_bytes = PackedBytes(columns, bits);
  std::vector<std::byte> packed(rows * row_bytes);
  for (int64_t row = 0; row < rows; ++row) {
    TERSOR_RETURN_IF_ERROR(PackInts(values.subspan(row * columns, columns), bits,
                                    std::span<std::byte>(packed).subspan(row * row_bytes, row_bytes)));
  }
  return Tensor::Own<std::byte>(DType::kU8, {rows, row_bytes}, std::move(packed));
}

}  // namespace

GroupIntTensor::GroupIntTensor(Shape shape, int bits, int64_t group_size, Tensor codes, Tensor scales,
                               Tensor zero_points)
    : shape_(std::move(shape)),
      bits_(bits),
      group_size_(group_size),
      codes_(std::move(codes)),
      scales_(std::move(scales)),
      zero_points_(std::move(zero_points)) {}

absl::StatusOr<std::shared_ptr<const GroupIntTensor>> GroupIntTensor::FromPacked(const GroupIntLayout& layout,
                                                                                 Tensor codes, Tensor scales,
                                                                                 Tensor zero_points) {
  TERSOR_ASSIGN_OR_RETURN(const GroupIntLayout checked, CheckLayout(layout));
  const int64_t groups = checked.columns / checked.group_size;
  TERSOR_RETURN_IF_ERROR(
      CheckField("codes", codes, DType::kU8, {checked.rows, PackedBytes(checked.columns, checked.bits)}));
  TERSOR_RETURN_IF_ERROR(CheckField("scales", scales, DType::kF16, {checked.rows, groups}));
  if (!zero_points.bytes().empty()) {
    TERSOR_RETURN_IF_ERROR(
        CheckField("zero_points", zero_points, DType::kU8, {checked.rows, PackedBytes(groups, checked.bits)}));
  }
  TERSOR_RETURN_IF_ERROR(CheckScales(scales));
  return std::shared_ptr<const GroupIntTensor>(new GroupIntTensor({checked.rows, checked.columns}, checked.bits,
                                                                  checked.group_size, std::move(codes),
                                                                  std::move(scales), std::move(zero_points)));
}

absl::StatusOr<std::shared_ptr<const GroupIntTensor>> GroupIntTensor::Create(const GroupIntLayout& layout,
                                                                             std::span<const uint8_t> codes,
                                                                             std::span<const uint16_t> scales,
                                                                             std::span<const uint8_t> zero_points) {
  TERSOR_ASSIGN_OR_RETURN(const GroupIntLayout checked, CheckLayout(layout));
  const int64_t groups = checked.columns / checked.group_size;
  if (codes.size() != checked.rows * checked.columns || scales.size() != checked.rows * groups ||
      (!zero_points.empty() && zero_points.size() != checked.rows * groups)) {
    return absl::InvalidArgumentError(absl::StrCat(codes.size(), " codes, ", scales.size(), " scales and ",
                                                   zero_points.size(), " zero points do not make ", checked.rows,
                                                   " rows of ", checked.columns, " columns in ", groups, " groups"));
  }
  TERSOR_ASSIGN_OR_RETURN(Tensor packed, PackRows(codes, checked.rows, checked.columns, checked.bits));
  TERSOR_ASSIGN_OR_RETURN(Tensor stored_scales,
                          Tensor::Own<uint16_t>(DType::kF16, {checked.rows, groups}, {scales.begin(), scales.end()}));
  Tensor packed_zero_points;
  if (!zero_points.empty()) {
    TERSOR_ASSIGN_OR_RETURN(packed_zero_points, PackRows(zero_points, checked.rows, groups, checked.bits));
  }
  return FromPacked(checked, std::move(packed), std::move(stored_scales), std::move(packed_zero_points));
}

absl::StatusOr<EncodedTensorPtr> GroupIntTensor::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                            const nlohmann::json& parameters) {
  const auto integer = [&](const char* key) -> absl::StatusOr<int64_t> {
    if (!parameters.is_object() || !parameters.contains(key) || !parameters[key].is_number_integer()) {
      return absl::InvalidArgumentError(absl::StrCat("parameter \"", key, "\" is missing or not an integer"));
    }
    return parameters[key].get<int64_t>();
  };
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, integer("bits"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t group_size, integer("group_size"));
  if (shape.size() != 2 || bits < kMinPackedBits || bits > kMaxPackedBits) {
    return absl::InvalidArgumentError(
        absl::StrCat("shape ", ShapeString(shape), " with ", bits, " bits; a matrix of 2 to 8 bits is expected"));
  }
  Tensor codes, scales, zero_points;
  for (const EncodedField& field : fields) {
    Tensor* part = field.name == "codes"         ? &codes
                   : field.name == "scales"      ? &scales
                   : field.name == "zero_points" ? &zero_points
                                                 : nullptr;
    if (part == nullptr || !part->bytes().empty() || field.tensor.bytes().empty()) {
      return absl::InvalidArgumentError(absl::StrCat("field \"", field.name, "\" is unknown, repeated or empty"));
    }
    *part = field.tensor;
  }
  return FromPacked({shape[0], shape[1], static_cast<int>(bits), group_size}, std::move(codes), std::move(scales),
                    std::move(zero_points));
}

uint64_t GroupIntTensor::byte_size() const {
  return codes_.bytes().size() + scales_.bytes().size() + zero_points_.bytes().size();
}

std::span<const std::byte> GroupIntTensor::PackedRow(const Tensor& tensor, int64_t row) const {
  const int64_t row_bytes = tensor.shape()[1];
  return tensor.bytes().subspan(row * row_bytes, row_bytes);
}

void GroupIntTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  GroupIntRowDecoder decoder({rows(), columns(), bits_, group_size_});
  const int64_t scale_bytes = groups() * sizeof(uint16_t), width = columns();
  for (int64_t row = first; row < first + count; ++row, out += width) {
    PackedGroupIntRow packed = {PackedRow(codes_, row), scales_.bytes().subspan(row * scale_bytes, scale_bytes), {}};
    if (!symmetric()) packed.zero_points = PackedRow(zero_points_, row);
    decoder.Decode(packed, out);
  }
}

std::vector<EncodedField> GroupIntTensor::Fields() const {
  std::vector<EncodedField> fields = {{"codes", codes_}, {"scales", scales_}};
  if (!symmetric()) fields.push_back({"zero_points", zero_points_});
  return fields;
}

nlohmann::json GroupIntTensor::Parameters() const { return {{"bits", bits_}, {"group_size", group_size_}}; }

void GroupIntTensor::CodesOfRow(int64_t row, uint8_t* codes) const {
  // Cannot fail: the shapes were checked on construction.
  UnpackInts(PackedRow(codes_, row), bits_, 0, {codes, static_cast<size_t>(columns())}).IgnoreError();
}

void GroupIntTensor::ZeroPointsOfRow(int64_t row, uint8_t* zero_points) const {
  if (symmetric()) {
    std::memset(zero_points, 1 << (bits_ - 1), groups());
    return;
  }
  UnpackInts(PackedRow(zero_points_, row), bits_, 0, {zero_points, static_cast<size_t>(groups())}).IgnoreError();
}

uint16_t GroupIntTensor::ScaleBits(int64_t row, int64_t group) const {
  return ScaleBitsAt(scales_, row * groups() + group);
}

float GroupIntTensor::Scale(int64_t row, int64_t group) const { return F16ToFloat(ScaleBits(row, group)); }

}  // namespace tersor
