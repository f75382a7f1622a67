#include "core/model/float_linear.h"

#include <utility>

#include "core/kernels/packed_matrix.h"
#include "core/model/weights.h"

namespace tersor {
namespace {

class FloatLinear final : public LinearKernel {
 public:
  FloatLinear(PackedMatrix matrix, Precision precision) : matrix_(std::move(matrix)), precision_(precision) {}

  std::string name() const override { return precision_ == Precision::kBF16 ? "bf16" : "float32"; }
  int64_t outputs() const override { return matrix_.outputs(); }
  int64_t inputs() const override { return matrix_.inputs(); }
  int64_t panels() const override { return matrix_.panels(); }

  absl::Status MultiplyPanelRows(int64_t first, int64_t count, const PanelRows& rows) const override {
    return matrix_.MultiplyPanelRows(first, count, rows);
  }

  absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate, float* y,
                        int64_t y_stride) const override {
    return matrix_.Multiply(x, x_stride, rows, bias, accumulate, y, y_stride);
  }

 private:
  PackedMatrix matrix_;
  Precision precision_;
};

}  // namespace

bool FloatLinearFits(const WeightRows&, const ComputeOptions&) { return true; }

absl::StatusOr<std::unique_ptr<LinearKernel>> MakeFloatLinear(const WeightRows& rows, const ComputeOptions& options) {
  TERSOR_ASSIGN_OR_RETURN(PackedMatrix matrix, PackRows(*rows.weight, rows.first, rows.outputs, options));
  return std::unique_ptr<LinearKernel>(std::make_unique<FloatLinear>(std::move(matrix), options.precision));
}

}  // namespace tersor
