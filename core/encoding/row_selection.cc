#include "core/encoding/row_selection.h"

#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/encoding_registry.h"
#include "core/encoding/float8_tensor.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

// Rows of a tensor whose first dimension is the base's rows: a view of neighbouring ones, else a copy.
absl::StatusOr<Tensor> TakeRows(const Tensor& tensor, const RowSelection& selection) {
  const size_t row_bytes = tensor.bytes().size() / static_cast<size_t>(tensor.shape()[0]);
  if (selection.contiguous()) {
    Shape shape = tensor.shape();
    shape[0] = selection.rows;
    // The copy shares the bytes with the old one.
    return Tensor::View(tensor.dtype(), std::move(shape),
                        tensor.bytes().subspan(selection.first * row_bytes, selection.rows * row_bytes),
                        std::make_shared<const Tensor>(tensor));
  }
  std::vector<std::byte> bytes(row_bytes * static_cast<size_t>(selection.rows));
  for (int64_t row = 0; row < selection.rows; ++row) {
    std::memcpy(bytes.data() + row * row_bytes, tensor.bytes().data() + selection.SourceOf(row) * row_bytes, row_bytes);
  }
  Shape shape = tensor.shape();
  shape[0] = selection.rows;
  return Tensor::Own(tensor.dtype(), std::move(shape), std::move(bytes));
}

absl::StatusOr<EncodedTensorPtr> SelectDense(const EncodedTensorPtr& base, const RowSelection& selection) {
  TERSOR_ASSIGN_OR_RETURN(Tensor values, TakeRows(base->Fields().at(0).tensor, selection));
  return DenseTensor::Create(std::move(values));
}

}  // namespace

absl::StatusOr<EncodedTensorPtr> SelectRows(const EncodedTensorPtr& base, const RowSelection& selection) {
  const int64_t rows = base->shape().empty() ? 1 : base->shape()[0];
  if (selection.rows < 1 || selection.run < 1 || selection.rows % selection.run != 0 || selection.first < 0 ||
      selection.stride < selection.run || selection.SourceOf(selection.rows - 1) >= rows) {
    return absl::OutOfRangeError(absl::StrCat("a tensor of shape ", ShapeString(base->shape()), " does not have the ",
                                              selection.rows, " rows asked for"));
  }
  if (selection.contiguous() && selection.rows == rows) return base;
  if (base->encoding() == DenseTensor::kName) return SelectDense(base, selection);
  if (base->encoding() == Float8Tensor::kName && base->Parameters().value("block_rows", 1) > 1 &&
      base->Fields().at(1).tensor.shape()[0] > 1) {
    return absl::UnimplementedError("scales of blocks of several rows cannot be divided among joined layers");
  }
  std::vector<EncodedField> fields = base->Fields();
  for (EncodedField& field : fields) {
    // Fields of one dimension belong to columns, those of another height to the matrix as a whole.
    if (field.tensor.shape().size() != 2 || field.tensor.shape()[0] != rows) continue;
    TERSOR_ASSIGN_OR_RETURN(field.tensor, TakeRows(field.tensor, selection));
  }
  return DecodeFields(base->encoding(), {selection.rows, base->columns()}, fields, base->Parameters());
}

absl::StatusOr<EncodedTensorPtr> TransposedDense(const EncodedTensor& matrix) {
  if (matrix.encoding() != DenseTensor::kName || matrix.shape().size() != 2) {
    return absl::UnimplementedError(absl::StrCat("a tensor of encoding ", matrix.encoding(), " and shape ",
                                                 ShapeString(matrix.shape()), " cannot be turned"));
  }
  const Tensor values = matrix.Fields().at(0).tensor;
  const int64_t rows = matrix.rows(), columns = matrix.columns();
  const int64_t size = static_cast<int64_t>(DTypeSize(values.dtype()));
  std::vector<std::byte> bytes(values.bytes().size());
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t column = 0; column < columns; ++column) {
      std::memcpy(bytes.data() + (column * rows + row) * size, values.bytes().data() + (row * columns + column) * size,
                  size);
    }
  }
  TERSOR_ASSIGN_OR_RETURN(Tensor turned, Tensor::Own(values.dtype(), {columns, rows}, std::move(bytes)));
  return DenseTensor::Create(std::move(turned));
}

}  // namespace tersor
