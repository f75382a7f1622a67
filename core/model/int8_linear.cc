#include "core/model/int8_linear.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/group_int_tensor.h"
#include "core/encoding/outlier_pair_tensor.h"
#include "core/kernels/int8_matrix.h"
#include "core/kernels/low_bit_matrix.h"
#include "core/kernels/scratch.h"
#include "core/model/input_rounder.h"
#include "core/model/integer_products.h"
#include "core/model/integer_weight.h"
#include "core/model/low_bit_codes.h"
#include "core/tensor/float16.h"

namespace tersor {
namespace {

// Codes for single rows, where these are to be fast.
struct RowCodes {
  LowBitMatrix matrix;
  std::string name;
  // Of matrices that multiply float32 inputs.
  std::optional<IntegerInputs> inputs;
  // Bits of a code.
  int bits = 8;
};

// Sums of code products are exact 32-bit integers whatever the CPU, so that what is scored is what is deployed.
class Int8Linear final : public LinearKernel {
 public:
  Int8Linear(Int8Matrix matrix, std::string name, int stored_bits, std::optional<RowCodes> rows)
      : matrix_(std::move(matrix)), name_(std::move(name)), stored_bits_(stored_bits), rows_(std::move(rows)) {}

  std::string name() const override { return name_; }
  std::string row_name() const override { return rows_.has_value() ? rows_->name : name_; }
  // In layouts of the stored bits, of which 8-bit codes take several.
  int code_copies() const override {
    const int bits = 8 + (rows_.has_value() ? rows_->bits : 0);
    return (bits + stored_bits_ - 1) / stored_bits_;
  }
  int64_t outputs() const override { return matrix_.outputs(); }
  int64_t inputs() const override { return matrix_.inputs(); }
  int64_t panels() const override { return rows_.has_value() ? rows_->matrix.panels() : matrix_.panels(); }

  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override {
    if (!rows_.has_value()) return matrix_.MultiplyPanelRows(first, count, rows);
    if (!rows_->inputs.has_value()) return rows_->matrix.MultiplyPanelRows(first, count, rows);
    ScratchBuffer rounded(rows.rows * inputs());
    PanelRows operands = rows;
    operands.x = rounded.data();
    operands.x_stride = inputs();
    for (int64_t row = 0; row < rows.rows; ++row) {
      RoundByIntegers(*rows_->inputs, rows.x + row * rows.x_stride, rounded.data() + row * inputs());
    }
    return rows_->matrix.MultiplyPanelRows(first, count, operands);
  }

  absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate, float* y,
                        int64_t y_stride) const override {
    return matrix_.Multiply(x, x_stride, rows, bias, accumulate, y, y_stride);
  }

 private:
  Int8Matrix matrix_;
  std::string name_;
  int stored_bits_;
  std::optional<RowCodes> rows_;
};

// 8-bit codes of a row and inputs of the plain format are multiplied as integers by single rows too.
bool RowsAreIntegers(const IntegerWeight& weight, const IntegerInputs& inputs, int bits) {
  return bits == 8 && weight.zero_points.empty() && weight.group_size == weight.inputs && inputs.bits == 8 &&
         inputs.symmetric && inputs.group_size == inputs.inputs && inputs.outlier_threshold == 0 &&
         !inputs.fixed.has_value() && inputs.shifts.empty();
}

// The integers as unsigned codes of 8 bits.
absl::StatusOr<LowBitMatrix> PackBytes(const IntegerWeight& weight, RowActivations activations, int threads) {
  constexpr int kMiddle = 128;
  const int64_t groups = weight.inputs / weight.group_size;
  const auto read = [&](int64_t o, std::span<uint8_t> codes, std::span<uint16_t> scales, std::span<uint8_t>) {
    for (int64_t i = 0; i < weight.inputs; ++i) {
      codes[i] = static_cast<uint8_t>(weight.codes[o * weight.inputs + i] + kMiddle);
    }
    // Stored as F16: exact.
    for (int64_t group = 0; group < groups; ++group) scales[group] = FloatToF16(weight.scales[o * groups + group]);
  };
  return LowBitMatrix::Pack({weight.outputs, weight.inputs, 8, weight.group_size, false}, activations, threads, read);
}

// None where single rows are multiplied like many.
absl::StatusOr<std::optional<RowCodes>> PackRowCodes(const WeightRows& rows, const IntegerWeight& weight,
                                                     const IntegerInputs& inputs, int bits,
                                                     const ComputeOptions& options) {
  if (options.linears == LinearCompute::kDecoded) return std::nullopt;
  if (RowsAreIntegers(weight, inputs, bits)) {
    TERSOR_ASSIGN_OR_RETURN(LowBitMatrix matrix, PackBytes(weight, RowActivations::kInt8Token, options.threads));
    return RowCodes{std::move(matrix), "int8 x int8 per token", std::nullopt, bits};
  }
  // Rounded inputs are multiplied as they are: rounding them again would be another format.
  ComputeOptions floats = options;
  floats.linears = LinearCompute::kEncodedFloat32;
  const std::string input_name = absl::StrCat(" x float32 on ", IntegerInputsName(inputs), " inputs");
  if (LowBitCodesFit(rows, floats)) {
    TERSOR_ASSIGN_OR_RETURN(LowBitCodes codes, PackLowBitCodes(rows, floats));
    return RowCodes{std::move(codes.matrix), absl::StrCat("int", bits, input_name), inputs, bits};
  }
  if (!weight.zero_points.empty() ||
      !LowBitMatrix::Supports({weight.outputs, weight.inputs, 8, weight.group_size, false})) {
    return std::nullopt;
  }
  TERSOR_ASSIGN_OR_RETURN(LowBitMatrix matrix, PackBytes(weight, RowActivations::kFloat32, options.threads));
  return RowCodes{std::move(matrix), absl::StrCat("int8", input_name), inputs, 8};
}

int BitsOf(const EncodedTensor& weight) {
  if (const auto* integers = dynamic_cast<const GroupIntTensor*>(&weight)) return integers->bits();
  return dynamic_cast<const OutlierPairTensor&>(weight).bits();
}

}  // namespace

bool Int8LinearFits(const WeightRows& rows, const ComputeOptions&) {
  return StoredProducts(*rows.weight) != IntegerProducts::kNone;
}

absl::StatusOr<std::unique_ptr<LinearKernel>> MakeInt8Linear(const WeightRows& rows, const ComputeOptions& options) {
  std::optional<IntegerInputs> inputs = IntegerInputsOf(*rows.weight->input_format());
  if (!inputs.has_value()) return absl::InternalError("inputs are no integers of 8 bits");
  const WeightRows codes{&rows.weight->weight(), rows.first, rows.outputs};
  const int bits = BitsOf(*codes.weight);
  TERSOR_ASSIGN_OR_RETURN(const IntegerWeight weight, ReadIntegerWeight(codes));
  TERSOR_ASSIGN_OR_RETURN(std::optional<RowCodes> single, PackRowCodes(codes, weight, *inputs, bits, options));
  std::string name = absl::StrCat("int", bits, weight.group_size < weight.inputs ? " in groups x " : " x ",
                                  IntegerInputsName(*inputs));
  TERSOR_ASSIGN_OR_RETURN(Int8Matrix matrix, Int8Matrix::Pack(weight.view(), *std::move(inputs)));
  return std::unique_ptr<LinearKernel>(
      std::make_unique<Int8Linear>(std::move(matrix), std::move(name), bits, std::move(single)));
}

}  // namespace tersor
