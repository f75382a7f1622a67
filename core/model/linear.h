// y = W x + b: a linear layer of a model, computed by the kernel that fits the weight's encoding and the options.
#ifndef TERSOR_CORE_MODEL_LINEAR_H_
#define TERSOR_CORE_MODEL_LINEAR_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/kernels/row_product.h"
#include "core/model/compute_options.h"
#include "core/model/linear_kernel.h"

namespace tersor {

// Immutable once made and thread-safe; cheap to move. A default one computes nothing.
class Linear {
 public:
  Linear() = default;

  // Copies what it needs of the weight. `bias` has `rows.outputs` values or none. INVALID_ARGUMENT where rows or bias
  // do not fit; UNIMPLEMENTED where the CPU cannot compute what `options` ask for.
  static absl::StatusOr<Linear> Create(const WeightRows& rows, std::vector<float> bias, const ComputeOptions& options);

  int64_t outputs() const { return kernel_ == nullptr ? 0 : kernel_->outputs(); }
  int64_t inputs() const { return kernel_ == nullptr ? 0 : kernel_->inputs(); }
  // What it computes in over many rows and over one, for reports; empty for a default one.
  std::string kernel() const { return kernel_ == nullptr ? "" : kernel_->name(); }
  std::string row_kernel() const { return kernel_ == nullptr ? "" : kernel_->row_name(); }
  // Whether it keeps the weight in its encoding.
  bool encoded() const { return kernel_ != nullptr && kernel_->encoded(); }
  // In how many layouts it keeps the weight's codes; 0: none, as floats.
  int code_copies() const { return kernel_ == nullptr ? 0 : kernel_->code_copies(); }

  // Over many rows, on the calling thread: y [rows, outputs] = x [rows, inputs] W^T + b, plus the old y where
  // `accumulate`. Strides are between rows, in floats. A row's bits depend on nothing but the row.
  absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, bool accumulate, float* y,
                        int64_t y_stride) const;
  // Take one before calling Multiply several times or on several threads, and keep it meanwhile: kernels that multiply
  // in another form than they store then make it once. See LinearKernel.
  absl::StatusOr<std::shared_ptr<const void>> Hold(int threads) const;
  // Over one row or few, for MultiplyRows of row_product.h: as fast as the weight can be read; close to Multiply's
  // result, but not of the same bits. x [rows, inputs] and y [rows, outputs] are the caller's.
  RowProduct Rows(const float* x, int64_t rows, bool accumulate, float* y) const;

 private:
  std::unique_ptr<const LinearKernel> kernel_;
  std::vector<float> bias_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_LINEAR_H_
