#include "core/encoding/float8_tensor.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/field_check.h"
#include "core/tensor/float8.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr int64_t kMaxBlock = int64_t{1} << 40;

const std::array<float, 256>& TableOf(DType dtype) { return dtype == DType::kF8E4M3 ? F8E4M3Values() : F8E5M2Values(); }

absl::Status CheckValues(const Tensor& values) {
  if ((values.dtype() != DType::kF8E4M3 && values.dtype() != DType::kF8E5M2) || values.shape().size() != 2 ||
      values.elements() < 1) {
    return absl::InvalidArgumentError(absl::StrCat("field \"values\" is ", DTypeName(values.dtype()), " ",
                                                   ShapeString(values.shape()), ", expected a matrix of 8-bit floats"));
  }
  const std::array<float, 256>& table = TableOf(values.dtype());
  const std::span<const uint8_t> codes = values.as<uint8_t>();
  for (size_t i = 0; i < codes.size(); ++i) {
    if (!std::isfinite(table[codes[i]])) {
      return absl::InvalidArgumentError(absl::StrCat("number ", i, " of field \"values\" is not finite"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EncodedTensorPtr> Float8Tensor::Create(Tensor values, Tensor scales, int64_t block_rows,
                                                      int64_t block_columns) {
  TERSOR_RETURN_IF_ERROR(CheckValues(values));
  if (block_rows < 1 || block_columns < 1 || block_rows > kMaxBlock || block_columns > kMaxBlock) {
    return absl::InvalidArgumentError(absl::StrCat("blocks of ", block_rows, " x ", block_columns));
  }
  const Shape wanted = {(values.shape()[0] + block_rows - 1) / block_rows,
                        (values.shape()[1] + block_columns - 1) / block_columns};
  TERSOR_RETURN_IF_ERROR(CheckScaleField("scales", scales, wanted));
  std::shared_ptr<Float8Tensor> tensor(new Float8Tensor);
  tensor->values_ = std::move(values);
  tensor->scales_ = std::move(scales);
  tensor->block_rows_ = block_rows;
  tensor->block_columns_ = block_columns;
  return EncodedTensorPtr(std::move(tensor));
}

absl::StatusOr<EncodedTensorPtr> Float8Tensor::FromFields(const Shape& shape, const std::vector<EncodedField>& fields,
                                                          const nlohmann::json& parameters) {
  Tensor values, scales;
  TERSOR_RETURN_IF_ERROR(TakeFields(fields, {{"values", &values}, {"scales", &scales}}));
  if (values.shape() != shape) {
    return absl::InvalidArgumentError(
        absl::StrCat("field \"values\" has shape ", ShapeString(values.shape()), ", the tensor ", ShapeString(shape)));
  }
  TERSOR_ASSIGN_OR_RETURN(const int64_t block_rows, IntegerParameter(parameters, "block_rows", 1, kMaxBlock));
  TERSOR_ASSIGN_OR_RETURN(const int64_t block_columns, IntegerParameter(parameters, "block_columns", 1, kMaxBlock));
  return Create(std::move(values), std::move(scales), block_rows, block_columns);
}

void Float8Tensor::DecodeRows(int64_t first, int64_t count, float* out) const {
  const std::array<float, 256>& table = TableOf(values_.dtype());
  const std::span<const uint8_t> codes = values_.as<uint8_t>();
  const int64_t width = scales_.shape()[1];
  std::vector<float> scales(static_cast<size_t>(width));
  for (int64_t row = first; row < first + count; ++row) {
    // Cannot fail: the type was checked on construction.
    DecodeToFloat(scales_, row / block_rows_ * width, width, scales.data()).IgnoreError();
    for (int64_t i = 0; i < columns(); ++i) {
      *out++ = table[codes[row * columns() + i]] * scales[i / block_columns_];
    }
  }
}

float Float8Tensor::Scale(int64_t row, int64_t block) const {
  float scale = 0;
  // Cannot fail: the type was checked on construction.
  DecodeToFloat(scales_, row / block_rows_ * scales_.shape()[1] + block, 1, &scale).IgnoreError();
  return scale;
}

nlohmann::json Float8Tensor::Parameters() const {
  return {{"block_rows", block_rows_}, {"block_columns", block_columns_}};
}

}  // namespace tersor
