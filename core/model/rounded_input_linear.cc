#include "core/model/rounded_input_linear.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/encoding/activation_registry.h"
#include "core/kernels/scratch.h"
#include "core/model/input_rounder.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

// What no kernel multiplies in its codes.
class RoundedInputLinear final : public LinearKernel {
 public:
  RoundedInputLinear(std::unique_ptr<LinearKernel> base, ActivationFormatPtr format)
      : base_(std::move(base)), format_name_(format->name()), rounder_(InputRounder::Create(std::move(format))) {}

  std::string name() const override { return absl::StrCat(base_->name(), " on ", format_name_, " inputs"); }
  std::string row_name() const override { return absl::StrCat(base_->row_name(), " on ", format_name_, " inputs"); }
  bool encoded() const override { return base_->encoded(); }
  int code_copies() const override { return base_->code_copies(); }
  int64_t outputs() const override { return base_->outputs(); }
  int64_t inputs() const override { return base_->inputs(); }
  int64_t panels() const override { return base_->panels(); }

  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override {
    ScratchBuffer rounded(rows.rows * inputs());
    rounder_->Round(rows.x, rows.x_stride, rows.rows, rounded.data());
    PanelRows operands = rows;
    operands.x = rounded.data();
    operands.x_stride = inputs();
    return base_->MultiplyPanelRows(first, count, operands);
  }

  absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate, float* y,
                        int64_t y_stride) const override {
    ScratchBuffer rounded(rows * inputs());
    rounder_->Round(x, x_stride, rows, rounded.data());
    return base_->Multiply(rounded.data(), inputs(), rows, bias, accumulate, y, y_stride);
  }

  absl::StatusOr<std::shared_ptr<const void>> Hold(int threads) const override { return base_->Hold(threads); }

 private:
  std::unique_ptr<LinearKernel> base_;
  std::string format_name_;
  std::unique_ptr<const InputRounder> rounder_;
};

}  // namespace

bool RoundedInputLinearFits(const WeightRows& rows, const ComputeOptions&) {
  return rows.weight->input_format() != nullptr;
}

absl::StatusOr<std::unique_ptr<LinearKernel>> MakeRoundedInputLinear(const WeightRows& rows,
                                                                     const ComputeOptions& options) {
  const ActivationFormat& format = *rows.weight->input_format();
  // A copy of its own: the weight need not outlive the layer.
  TERSOR_ASSIGN_OR_RETURN(ActivationFormatPtr copy,
                          RebuildActivationFormat(format.name(), format.width(), format.Fields(), format.Parameters()));
  ComputeOptions floats = options;
  // Rounded inputs are multiplied as they are: rounding them again would be another format.
  if (floats.linears == LinearCompute::kEncodedInt8) floats.linears = LinearCompute::kEncodedFloat32;
  TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<LinearKernel> base,
                          MakeLinearKernel({&rows.weight->weight(), rows.first, rows.outputs}, floats));
  return std::unique_ptr<LinearKernel>(std::make_unique<RoundedInputLinear>(std::move(base), std::move(copy)));
}

}  // namespace tersor
