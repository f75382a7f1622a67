#include "core/encoding/masked_int_tensor.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/encoding/field_check.h"
#include "core/encoding/parameter_reader.h"
#include "core/tensor/float16.h"
#include "core/tensor/packed_ints.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

int64_t RowCodeBytes(const SparseMask& mask, int64_t row, int bits) {
  return PackedBytes(mask.RowStart(row + 1) - mask.RowStart(row), bits);
}

int64_t CodeBytes(const SparseMask& mask, int bits) {
  int64_t bytes = 0;
  for (int64_t row = 0; row < mask.rows(); ++row) bytes += RowCodeBytes(mask, row, bits);
  return bytes;
}

}  // namespace

MaskedIntTensor::MaskedIntTensor(SparseMask mask, int bits, int64_t group_size, Tensor codes, Tensor scales,
                                 Tensor zero_points)
    : shape_({mask.rows(), mask.columns()}),
      mask_(std::move(mask)),
      bits_(bits),
      group_size_(group_size),
      codes_(std::move(codes)),
      scales_(std::move(scales)),
      zero_points_(std::move(zero_points)),
      code_starts_(1) {
  for (int64_t row = 0; row < mask_.rows(); ++row) {
    code_starts_.push_back(code_starts_.back() + RowCodeBytes(mask_, row, bits_));
  }
}

absl::StatusOr<EncodedTensorPtr> MaskedIntTensor::Create(SparseMask mask, const GroupIntTensor& dense) {
  const int64_t columns = mask.columns();
  if (dense.rows() != mask.rows() || dense.columns() != columns) {
    return absl::InvalidArgumentError("mask and codes have different shapes");
  }
  std::vector<std::byte> packed(CodeBytes(mask, dense.bits()));
  std::vector<uint8_t> codes(columns), marks(columns), zeros(dense.groups()), kept(columns);
  int64_t start = 0;
  for (int64_t row = 0; row < mask.rows(); ++row) {
    dense.CodesOfRow(row, codes.data());
    dense.ZeroPointsOfRow(row, zeros.data());
    mask.KeptOfRow(row, marks.data());
    kept.clear();
    for (int64_t i = 0; i < columns; ++i) {
      const int64_t group = i / dense.group_size();
      if (marks[i] != 0) {
        kept.push_back(codes[i]);
      } else if (codes[i] != zeros[group] && dense.Scale(row, group) != 0) {
        return absl::InvalidArgumentError(absl::StrCat("weight [", row, ", ", i, "] is to be 0, but its code is not"));
      }
    }
    const int64_t bytes = PackedBytes(static_cast<int64_t>(kept.size()), dense.bits());
    TERSOR_RETURN_IF_ERROR(PackInts(kept, dense.bits(), std::span<std::byte>(packed).subspan(start, bytes)));
    start += bytes;
  }
  TERSOR_ASSIGN_OR_RETURN(Tensor stored, Tensor::Own<std::byte>(DType::kU8, {start}, std::move(packed)));
  Tensor scales, zero_points;
  for (EncodedField& field : dense.Fields()) {
    if (field.name == "scales") scales = std::move(field.tensor);
    if (field.name == "zero_points") zero_points = std::move(field.tensor);
  }
  return EncodedTensorPtr(new MaskedIntTensor(std::move(mask), dense.bits(), dense.group_size(), std::move(stored),
                                              std::move(scales), std::move(zero_points)));
}

absl::StatusOr<EncodedTensorPtr> MaskedIntTensor::FromFields(const Shape& shape,
                                                             const std::vector<EncodedField>& fields,
                                                             const nlohmann::json& parameters) {
  TERSOR_ASSIGN_OR_RETURN(SparseMask mask, SparseMask::FromFields(shape, fields, parameters));
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {mask.Field().name, "codes", "scales", "zero_points"}));
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, IntegerParameter(parameters, "bits", kMinPackedBits, kMaxPackedBits));
  TERSOR_ASSIGN_OR_RETURN(const int64_t group_size, IntegerParameter(parameters, "group_size", 1, shape[1]));
  if (shape[1] % group_size != 0) {
    return absl::InvalidArgumentError(absl::StrCat("groups of ", group_size, " do not divide ", shape[1], " columns"));
  }
  const int64_t groups = shape[1] / group_size;
  const int width = static_cast<int>(bits);
  TERSOR_ASSIGN_OR_RETURN(Tensor codes, TakeField(fields, "codes", DType::kU8, {CodeBytes(mask, width)}));
  TERSOR_ASSIGN_OR_RETURN(Tensor scales, TakeField(fields, "scales", DType::kF16, {shape[0], groups}));
  TERSOR_RETURN_IF_ERROR(CheckFinite("scales", scales));
  TERSOR_ASSIGN_OR_RETURN(const bool symmetric, BooleanParameter(parameters, "symmetric"));
  Tensor zero_points;
  if (symmetric) {
    TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {mask.Field().name, "codes", "scales"}));
  } else {
    TERSOR_ASSIGN_OR_RETURN(zero_points,
                            TakeField(fields, "zero_points", DType::kU8, {shape[0], PackedBytes(groups, width)}));
  }
  return EncodedTensorPtr(new MaskedIntTensor(std::move(mask), width, group_size, std::move(codes), std::move(scales),
                                              std::move(zero_points)));
}

uint64_t MaskedIntTensor::byte_size() const {
  return mask_.byte_size() + codes_.bytes().size() + scales_.bytes().size() + zero_points_.bytes().size();
}

// Unpacking below cannot fail: all sizes were checked on construction.
void MaskedIntTensor::CodesOfRow(int64_t row, uint8_t* codes) const {
  const int64_t kept = mask_.RowStart(row + 1) - mask_.RowStart(row);
  UnpackInts(codes_.bytes().subspan(code_starts_[row], code_starts_[row + 1] - code_starts_[row]), bits_, 0,
             {codes, static_cast<size_t>(kept)})
      .IgnoreError();
}

void MaskedIntTensor::GridsOfRow(int64_t row, float* scales, float* zero_points) const {
  F16ToFloats(scales_.bytes().data() + row * groups() * static_cast<int64_t>(sizeof(uint16_t)), groups(), scales);
  std::fill_n(zero_points, groups(), static_cast<float>(1 << (bits_ - 1)));
  if (zero_points_.bytes().empty()) return;
  std::vector<uint8_t> codes(groups());
  const int64_t row_bytes = zero_points_.shape()[1];
  UnpackInts(zero_points_.bytes().subspan(row * row_bytes, row_bytes), bits_, 0, codes).IgnoreError();
  std::copy(codes.begin(), codes.end(), zero_points);
}

void MaskedIntTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  const int64_t width = columns();
  std::vector<uint8_t> marks(width), codes(width + 1);
  std::vector<float> scales(groups()), zero_points(groups());
  for (int64_t row = first; row < first + count; ++row, out += width) {
    mask_.KeptOfRow(row, marks.data());
    CodesOfRow(row, codes.data());
    GridsOfRow(row, scales.data(), zero_points.data());
    const uint8_t* next = codes.data();
    for (int64_t group = 0; group < groups(); ++group) {
      const float scale = scales[group], zero = zero_points[group];
      for (int64_t i = group * group_size_; i < (group + 1) * group_size_; ++i) {
        out[i] = marks[i] != 0 ? (static_cast<float>(*next) - zero) * scale : 0.0f;
        next += marks[i];
      }
    }
  }
}

std::vector<EncodedField> MaskedIntTensor::Fields() const {
  std::vector<EncodedField> fields = {mask_.Field(), {"codes", codes_}, {"scales", scales_}};
  if (!zero_points_.bytes().empty()) fields.push_back({"zero_points", zero_points_});
  return fields;
}

nlohmann::json MaskedIntTensor::Parameters() const {
  nlohmann::json parameters = {
      {"bits", bits_}, {"group_size", group_size_}, {"symmetric", zero_points_.bytes().empty()}};
  mask_.AddParameters(parameters);
  return parameters;
}

}  // namespace tersor
