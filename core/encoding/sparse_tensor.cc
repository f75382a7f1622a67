#include "core/encoding/sparse_tensor.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/parameter_reader.h"
#include "core/tensor/float16.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

DType ColumnType(int64_t columns) { return columns <= 65536 ? DType::kU16 : DType::kU32; }

template <typename T>
T At(const Tensor& tensor, int64_t index) {
  T value;
  std::memcpy(&value, tensor.bytes().data() + index * static_cast<int64_t>(sizeof(T)), sizeof(T));
  return value;
}

template <typename T>
absl::StatusOr<Tensor> ColumnsOf(const std::vector<SparseTensor::Entry>& entries, DType dtype) {
  std::vector<T> columns;
  for (const SparseTensor::Entry& entry : entries) columns.push_back(static_cast<T>(entry.column));
  const int64_t count = static_cast<int64_t>(columns.size());
  return Tensor::Own(dtype, {count}, std::move(columns));
}

absl::Status CheckShape(const Shape& shape) {
  if (shape.size() == 2 && ElementCount(shape) > 0 && shape[1] <= std::numeric_limits<uint32_t>::max()) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("shape ", ShapeString(shape), " is no matrix that can be stored"));
}

}  // namespace

absl::StatusOr<EncodedTensorPtr> SparseTensor::Create(const Shape& shape, const std::vector<Entry>& entries) {
  TERSOR_RETURN_IF_ERROR(CheckShape(shape));
  if (entries.size() > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError("a sparse tensor has fewer than 2^32 entries");
  }
  std::vector<uint32_t> starts(shape[0] + 1);
  std::vector<uint16_t> halves;
  for (const Entry& entry : entries) {
    if (entry.row < 0 || entry.row >= shape[0] || entry.column < 0 || entry.column >= shape[1]) {
      return absl::InvalidArgumentError(
          absl::StrCat("entry [", entry.row, ", ", entry.column, "] is outside ", ShapeString(shape)));
    }
    ++starts[entry.row + 1];
    halves.push_back(FloatToF16(entry.value));
  }
  for (size_t row = 1; row < starts.size(); ++row) starts[row] += starts[row - 1];
  const DType type = ColumnType(shape[1]);
  TERSOR_ASSIGN_OR_RETURN(
      Tensor columns, type == DType::kU16 ? ColumnsOf<uint16_t>(entries, type) : ColumnsOf<uint32_t>(entries, type));
  TERSOR_ASSIGN_OR_RETURN(Tensor row_starts, Tensor::Own(DType::kU32, {shape[0] + 1}, std::move(starts)));
  TERSOR_ASSIGN_OR_RETURN(Tensor values, Tensor::Own(DType::kF16, {static_cast<int64_t>(entries.size())}, halves));
  std::shared_ptr<SparseTensor> tensor(
      new SparseTensor(shape, std::move(row_starts), std::move(columns), std::move(values)));
  TERSOR_RETURN_IF_ERROR(tensor->Check());
  return EncodedTensorPtr(std::move(tensor));
}

absl::StatusOr<EncodedTensorPtr> SparseTensor::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                          const nlohmann::json&) {
  TERSOR_RETURN_IF_ERROR(CheckShape(shape));
  TERSOR_RETURN_IF_ERROR(CheckFieldNames(fields, {"row_starts", "columns", "values"}));
  const auto found = std::find_if(fields.begin(), fields.end(), [](const auto& f) { return f.name == "values"; });
  const int64_t count = found == fields.end() ? 0 : found->tensor.elements();
  TERSOR_ASSIGN_OR_RETURN(Tensor starts, TakeField(fields, "row_starts", DType::kU32, {shape[0] + 1}));
  TERSOR_ASSIGN_OR_RETURN(Tensor columns, TakeField(fields, "columns", ColumnType(shape[1]), {count}));
  TERSOR_ASSIGN_OR_RETURN(Tensor values, TakeField(fields, "values", DType::kF16, {count}));
  std::shared_ptr<SparseTensor> tensor(
      new SparseTensor(shape, std::move(starts), std::move(columns), std::move(values)));
  TERSOR_RETURN_IF_ERROR(tensor->Check());
  return EncodedTensorPtr(std::move(tensor));
}

// Starts rise from 0 to the number of entries, columns rise within a row, values are finite.
absl::Status SparseTensor::Check() const {
  if (RowStart(0) != 0 || RowStart(rows()) != count()) {
    return absl::InvalidArgumentError(
        absl::StrCat("rows reach from ", RowStart(0), " to ", RowStart(rows()), " of ", count(), " entries"));
  }
  for (int64_t row = 0; row < rows(); ++row) {
    const int64_t first = RowStart(row), last = RowStart(row + 1);
    if (last < first || last > count()) {
      return absl::InvalidArgumentError(absl::StrCat("row ", row, " reaches from entry ", first, " to ", last));
    }
    for (int64_t entry = first; entry < last; ++entry) {
      const bool rises = entry == first || Column(entry) > Column(entry - 1);
      if (rises && Column(entry) < columns()) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("column ", Column(entry), " of row ", row, " is out of order or beyond the matrix"));
    }
  }
  return CheckFinite("values", values_);
}

uint64_t SparseTensor::byte_size() const {
  return row_starts_.bytes().size() + columns_.bytes().size() + values_.bytes().size();
}

void SparseTensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  std::fill_n(out, count * columns(), 0.0f);
  for (int64_t row = first; row < first + count; ++row, out += columns()) {
    for (int64_t entry = RowStart(row); entry < RowStart(row + 1); ++entry) out[Column(entry)] = Value(entry);
  }
}

std::vector<EncodedField> SparseTensor::Fields() const {
  return {{"row_starts", row_starts_}, {"columns", columns_}, {"values", values_}};
}

nlohmann::json SparseTensor::Parameters() const { return nlohmann::json::object(); }

int64_t SparseTensor::RowStart(int64_t row) const { return At<uint32_t>(row_starts_, row); }

int64_t SparseTensor::Column(int64_t entry) const {
  return columns_.dtype() == DType::kU16 ? At<uint16_t>(columns_, entry) : At<uint32_t>(columns_, entry);
}

float SparseTensor::Value(int64_t entry) const { return F16ToFloat(At<uint16_t>(values_, entry)); }

}  // namespace tersor
