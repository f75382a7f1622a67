#include "core/model/linear.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {

absl::StatusOr<Linear> Linear::Create(const WeightRows& rows, std::vector<float> bias, const ComputeOptions& options) {
  if (rows.weight == nullptr || rows.first < 0 || rows.outputs < 1 || rows.outputs > rows.weight->rows() - rows.first) {
    return absl::InvalidArgumentError(absl::StrCat("a linear layer of rows ", rows.first, " and ", rows.outputs,
                                                   " more of a matrix of ",
                                                   rows.weight == nullptr ? 0 : rows.weight->rows(), " rows"));
  }
  if (!bias.empty() && bias.size() != static_cast<size_t>(rows.outputs)) {
    return absl::InvalidArgumentError(absl::StrCat("a bias of ", bias.size(), " for ", rows.outputs, " outputs"));
  }
  Linear linear;
  TERSOR_ASSIGN_OR_RETURN(linear.kernel_, MakeLinearKernel(rows, options));
  linear.bias_ = std::move(bias);
  return linear;
}

absl::Status Linear::Multiply(const float* x, int64_t x_stride, int64_t rows, bool accumulate, float* y,
                              int64_t y_stride) const {
  if (kernel_ == nullptr) return absl::FailedPreconditionError("product with a linear layer that was never made");
  return kernel_->Multiply(x, x_stride, rows, bias_.empty() ? nullptr : bias_.data(), accumulate, y, y_stride);
}

absl::StatusOr<std::shared_ptr<const void>> Linear::Hold(int threads) const {
  if (kernel_ == nullptr) return absl::FailedPreconditionError("hold of a linear layer that was never made");
  return kernel_->Hold(threads);
}

RowProduct Linear::Rows(const float* x, int64_t rows, bool accumulate, float* y) const {
  return {kernel_.get(), {x, inputs(), rows, bias_.empty() ? nullptr : bias_.data(), accumulate, y, outputs()}};
}

}  // namespace tersor
