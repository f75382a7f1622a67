#include "core/model/int8_linear.h"

#include <optional>
#include <utility>
#include <vector>

#include "core/encoding/group_int_tensor.h"
#include "core/encoding/int_token_format.h"
#include "core/kernels/int8_matrix.h"
#include "core/kernels/low_bit_matrix.h"
#include "core/model/integer_products.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

// Sums of code products are exact 32-bit integers whatever the CPU, so that what is scored is what is deployed.
class Int8Linear final : public LinearKernel {
 public:
  Int8Linear(Int8Matrix matrix, std::optional<LowBitMatrix> rows)
      : matrix_(std::move(matrix)), rows_(std::move(rows)) {}

  std::string name() const override { return "int8 x int8 per token"; }
  int code_copies() const override { return rows_.has_value() ? 2 : 1; }
  int64_t outputs() const override { return matrix_.outputs(); }
  int64_t inputs() const override { return matrix_.inputs(); }
  int64_t panels() const override { return rows_.has_value() ? rows_->panels() : 1; }

  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override {
    if (rows_.has_value()) return rows_->MultiplyPanelRows(first, count, rows);
    return matrix_.Multiply(rows.x, rows.x_stride, rows.rows, rows.bias, rows.accumulate, rows.y, rows.y_stride);
  }

  absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate, float* y,
                        int64_t y_stride) const override {
    return matrix_.Multiply(x, x_stride, rows, bias, accumulate, y, y_stride);
  }

 private:
  Int8Matrix matrix_;
  // For single rows, where these are to be fast.
  std::optional<LowBitMatrix> rows_;
};

constexpr int kMiddle = 128;

}  // namespace

bool Int8LinearFits(const WeightRows& rows, const ComputeOptions&) {
  const auto* format = dynamic_cast<const IntTokenFormat*>(rows.weight->input_format());
  if (format == nullptr || format->options() != IntTokenOptions()) return false;
  const auto* weight = dynamic_cast<const GroupIntTensor*>(&rows.weight->weight());
  return weight != nullptr && weight->bits() == 8 && weight->symmetric() && weight->groups() == 1 &&
         weight->columns() <= Int8Matrix::kMostInputs;
}

bool MultipliesIntegers(const PlannedEncoding& planned, int64_t columns) {
  if (planned.input_format != IntTokenFormat::kName || planned.encoding != GroupIntTensor::kName) return false;
  const auto plain = IntTokenFormat::Create(columns, IntTokenOptions());
  return plain.ok() && planned.input_parameters == (*plain)->Parameters().dump() && planned.bits == 8 &&
         planned.symmetric && planned.group_size == columns && columns <= Int8Matrix::kMostInputs;
}

absl::StatusOr<std::unique_ptr<LinearKernel>> MakeInt8Linear(const WeightRows& rows, const ComputeOptions& options) {
  const auto& weight = dynamic_cast<const GroupIntTensor&>(rows.weight->weight());
  const int64_t inputs = weight.columns();
  std::vector<uint8_t> row(inputs);
  std::vector<int8_t> codes(rows.outputs * inputs);
  std::vector<float> scales(rows.outputs);
  for (int64_t o = 0; o < rows.outputs; ++o) {
    weight.CodesOfRow(rows.first + o, row.data());
    for (int64_t i = 0; i < inputs; ++i) codes[o * inputs + i] = static_cast<int8_t>(row[i] - kMiddle);
    scales[o] = weight.Scale(rows.first + o, 0);
  }
  TERSOR_ASSIGN_OR_RETURN(Int8Matrix matrix, Int8Matrix::Pack(codes, scales, rows.outputs, inputs));
  std::optional<LowBitMatrix> single;
  if (options.linears != LinearCompute::kDecoded) {
    const auto read = [&](int64_t o, std::span<uint8_t> row_codes, std::span<uint16_t> row_scales, std::span<uint8_t>) {
      weight.CodesOfRow(rows.first + o, row_codes.data());
      row_scales[0] = weight.ScaleBits(rows.first + o, 0);
    };
    TERSOR_ASSIGN_OR_RETURN(single, LowBitMatrix::Pack({rows.outputs, inputs, 8, inputs, false},
                                                       RowActivations::kInt8Token, options.threads, read));
  }
  return std::unique_ptr<LinearKernel>(std::make_unique<Int8Linear>(std::move(matrix), std::move(single)));
}

}  // namespace tersor
