#include "core/encoding/indexed_int_tensor.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/field_check.h"
#include "core/encoding/group_int_tensor.h"
#include "core/tensor/float16.h"
#include "core/tensor/packed_ints.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr int64_t kMaxColumns = int64_t{1} << 32;

absl::StatusOr<Tensor> PackRows(const std::vector<uint8_t>& values, int64_t rows, int64_t columns, int bits) {
  const int64_t row_bytes = PackedBytes(columns, bits);
  std::vector<std::byte> packed(rows * row_bytes);
  for (int64_t row = 0; row < rows; ++row) {
    TERSOR_RETURN_IF_ERROR(
        PackInts(std::span(values).subspan(row * columns, columns), bits,
                 std::span(packed).subspan(static_cast<size_t>(row * row_bytes), static_cast<size_t>(row_bytes))));
  }
  return Tensor::Own<std::byte>(DType::kU8, {rows, row_bytes}, std::move(packed));
}

// The scales as F16 bits; empty where one of them is no F16 number.
absl::StatusOr<std::vector<uint16_t>> ExactF16(const Tensor& scales) {
  const int64_t count = scales.elements();
  std::vector<float> values(static_cast<size_t>(count));
  TERSOR_RETURN_IF_ERROR(DecodeToFloat(scales, 0, count, values.data()));
  std::vector<uint16_t> halves(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    halves[i] = FloatToF16(values[i]);
    if (F16ToFloat(halves[i]) != values[i]) return std::vector<uint16_t>();
  }
  return halves;
}

bool EqualRuns(const std::vector<int32_t>& group_index, int64_t groups) {
  const int64_t columns = static_cast<int64_t>(group_index.size());
  if (groups < 1 || columns % groups != 0) return false;
  for (int64_t i = 0; i < columns; ++i) {
    if (group_index[i] != i / (columns / groups)) return false;
  }
  return true;
}

std::vector<uint8_t> UnpackedRow(const Tensor& packed, int64_t row, int64_t count, int bits) {
  const int64_t row_bytes = packed.shape()[1];
  std::vector<uint8_t> values(static_cast<size_t>(count));
  // Cannot fail: the shapes were checked on construction.
  UnpackInts(packed.bytes().subspan(row * row_bytes, row_bytes), bits, 0, values).IgnoreError();
  return values;
}

}  // namespace

absl::StatusOr<EncodedTensorPtr> MakeIntTensor(IntParts parts) {
  const Shape shape = {parts.rows, parts.columns};
  if (parts.rows < 1 || parts.columns < 1 || ElementCount(shape) < 0 || parts.columns > kMaxColumns ||
      parts.scales.shape().size() != 2) {
    return absl::InvalidArgumentError(absl::StrCat("codes of shape ", ShapeString(shape), " with scales ",
                                                   ShapeString(parts.scales.shape()), " make no matrix"));
  }
  const int64_t groups = parts.scales.shape()[1];
  if (!parts.group_index.empty() && static_cast<int64_t>(parts.group_index.size()) != parts.columns) {
    return absl::InvalidArgumentError(
        absl::StrCat(parts.group_index.size(), " group indices for ", parts.columns, " columns"));
  }
  TERSOR_RETURN_IF_ERROR(CheckScaleField("scales", parts.scales, {parts.rows, groups}));
  if (EqualRuns(parts.group_index, groups)) parts.group_index.clear();
  const auto is_middle = [&](uint8_t zero_point) { return zero_point == 1 << (parts.bits - 1); };
  if (static_cast<int64_t>(parts.zero_points.size()) == parts.rows * groups &&
      std::all_of(parts.zero_points.begin(), parts.zero_points.end(), is_middle)) {
    parts.zero_points.clear();
  }
  TERSOR_ASSIGN_OR_RETURN(const std::vector<uint16_t> halves, ExactF16(parts.scales));
  if (!halves.empty() && parts.group_index.empty() && groups > 0 && parts.columns % groups == 0) {
    return GroupIntTensor::Create({parts.rows, parts.columns, parts.bits, parts.columns / groups}, parts.codes, halves,
                                  parts.zero_points);
  }
  if (static_cast<int64_t>(parts.codes.size()) != ElementCount(shape) ||
      (!parts.zero_points.empty() && static_cast<int64_t>(parts.zero_points.size()) != parts.rows * groups)) {
    return absl::InvalidArgumentError(absl::StrCat(parts.codes.size(), " codes and ", parts.zero_points.size(),
                                                   " zero points for ", parts.rows, " rows of ", parts.columns,
                                                   " columns in ", groups, " groups"));
  }
  std::vector<EncodedField> fields;
  TERSOR_ASSIGN_OR_RETURN(Tensor codes, PackRows(parts.codes, parts.rows, parts.columns, parts.bits));
  fields.push_back({"codes", std::move(codes)});
  fields.push_back({"scales", parts.scales});
  if (!parts.zero_points.empty()) {
    TERSOR_ASSIGN_OR_RETURN(Tensor zero_points, PackRows(parts.zero_points, parts.rows, groups, parts.bits));
    fields.push_back({"zero_points", std::move(zero_points)});
  }
  if (!parts.group_index.empty()) {
    TERSOR_ASSIGN_OR_RETURN(Tensor index, Tensor::Own(DType::kI32, {parts.columns}, std::move(parts.group_index)));
    fields.push_back({"group_index", std::move(index)});
  }
  return IndexedIntTensor::FromFields(shape, fields, {{"bits", parts.bits}});
}

absl::Status IndexedIntTensor::Check() const {
  const int64_t rows = shape_[0], columns = shape_[1];
  if (scales_.shape().size() != 2 || scales_.shape()[1] < 1) {
    return absl::InvalidArgumentError(absl::StrCat("field \"scales\" has shape ", ShapeString(scales_.shape())));
  }
  TERSOR_RETURN_IF_ERROR(CheckField("codes", codes_, DType::kU8, {rows, PackedBytes(columns, bits_)}));
  TERSOR_RETURN_IF_ERROR(CheckScaleField("scales", scales_, {rows, groups()}));
  if (!symmetric()) {
    TERSOR_RETURN_IF_ERROR(CheckField("zero_points", zero_points_, DType::kU8, {rows, PackedBytes(groups(), bits_)}));
  }
  if (!has_group_index()) {
    if (columns % groups() == 0) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(groups(), " groups do not divide ", columns, " columns"));
  }
  TERSOR_RETURN_IF_ERROR(CheckField("group_index", group_index_, DType::kI32, {columns}));
  for (int64_t i = 0; i < columns; ++i) {
    int32_t group;
    std::memcpy(&group, group_index_.bytes().data() + i * sizeof(group), sizeof(group));
    if (group < 0 || group >= groups()) {
      return absl::OutOfRangeError(
          absl::StrCat("column ", i, " is said to be in group ", group, " of ", groups(), " groups"));
    }
  }
  return absl::OkStatus();
}

void IndexedIntTensor::ResolveGroups() {
  group_of_.resize(static_cast<size_t>(columns()));
  if (has_group_index()) {
    std::memcpy(group_of_.data(), group_index_.bytes().data(), group_of_.size() * sizeof(int32_t));
    return;
  }
  const int64_t group_size = columns() / groups();
  for (int64_t i = 0; i < columns(); ++i) group_of_[i] = static_cast<int32_t>(i / group_size);
}

absl::StatusOr<EncodedTensorPtr> IndexedIntTensor::FromFields(const Shape& shape,
                                                              const std::vector<EncodedField>& fields,
                                                              const nlohmann::json& parameters) {
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1 || shape[1] > kMaxColumns || ElementCount(shape) < 0) {
    return absl::InvalidArgumentError(absl::StrCat("shape ", ShapeString(shape), " is no matrix of codes"));
  }
  std::shared_ptr<IndexedIntTensor> tensor(new IndexedIntTensor);
  tensor->shape_ = shape;
  TERSOR_ASSIGN_OR_RETURN(const int64_t bits, IntegerParameter(parameters, "bits", kMinPackedBits, kMaxPackedBits));
  tensor->bits_ = static_cast<int>(bits);
  TERSOR_RETURN_IF_ERROR(TakeFields(fields, {{"codes", &tensor->codes_},
                                             {"scales", &tensor->scales_},
                                             {"zero_points", &tensor->zero_points_},
                                             {"group_index", &tensor->group_index_}}));
  TERSOR_RETURN_IF_ERROR(tensor->Check());
  tensor->ResolveGroups();
  return EncodedTensorPtr(std::move(tensor));
}

uint64_t IndexedIntTensor::byte_size() const {
  return codes_.bytes().size() + scales_.bytes().size() + zero_points_.bytes().size() + group_index_.bytes().size();
}

void IndexedIntTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  std::vector<float> scales(static_cast<size_t>(groups()));
  for (int64_t row = first; row < first + count; ++row) {
    const std::vector<uint8_t> codes = UnpackedRow(codes_, row, columns(), bits_);
    std::vector<uint8_t> zero_points(scales.size(), static_cast<uint8_t>(1 << (bits_ - 1)));
    if (!symmetric()) zero_points = UnpackedRow(zero_points_, row, groups(), bits_);
    // Cannot fail: the type was checked on construction.
    DecodeToFloat(scales_, row * groups(), groups(), scales.data()).IgnoreError();
    float* to = out + (row - first) * columns();
    for (int64_t i = 0; i < columns(); ++i) {
      const int32_t group = group_of_[i];
      to[i] = static_cast<float>(codes[i] - zero_points[group]) * scales[group];
    }
  }
}

std::vector<EncodedField> IndexedIntTensor::Fields() const {
  std::vector<EncodedField> fields = {{"codes", codes_}, {"scales", scales_}};
  if (!symmetric()) fields.push_back({"zero_points", zero_points_});
  if (has_group_index()) fields.push_back({"group_index", group_index_});
  return fields;
}

nlohmann::json IndexedIntTensor::Parameters() const { return {{"bits", bits_}}; }

}  // namespace tersor
