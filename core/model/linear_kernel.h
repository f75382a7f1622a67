// How a linear layer's weight is held and multiplied. Private to core/model; callers use Linear.
#ifndef TERSOR_CORE_MODEL_LINEAR_KERNEL_H_
#define TERSOR_CORE_MODEL_LINEAR_KERNEL_H_

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/kernels/row_matrix.h"
#include "core/model/compute_options.h"

namespace tersor {

// Rows [first, first + outputs) of a stored matrix.
struct WeightRows {
  const EncodedTensor* weight = nullptr;
  int64_t first = 0;
  int64_t outputs = 0;
};

// RowMatrix is the way of decoding, one token of each sequence at a time; Multiply that of prefill and scoring.
// Immutable and thread-safe.
class LinearKernel : public RowMatrix {
 public:
  // What products over many rows, and with single ones, are computed in, for reports: "float32", "int4 x int8".
  virtual std::string name() const = 0;
  virtual std::string row_name() const { return name(); }
  // Whether it keeps the weight in its encoding: products over many rows then decode it first.
  virtual bool encoded() const { return false; }
  // In how many layouts it keeps the weight's codes; 0: none, as floats.
  virtual int code_copies() const { return encoded() ? 1 : 0; }
  // y [rows, outputs] = x [rows, inputs] W^T, plus `bias` [outputs] unless null, plus the old y where `accumulate`, on
  // the calling thread; strides are between rows, in floats. A row's bits depend on nothing but the row. An encoded
  // weight that is not held is decoded piece by piece, which takes the options' threads outside of any loop over tasks.
  virtual absl::Status Multiply(const float* x, int64_t x_stride, int64_t rows, const float* bias, bool accumulate,
                                float* y, int64_t y_stride) const = 0;
  // Brings the weight, on `threads` threads, into the form that Multiply reads and keeps it there while the returned
  // handle lives. Null where there is nothing to do.
  virtual absl::StatusOr<std::shared_ptr<const void>> Hold(int /*threads*/) const { return nullptr; }
};

// One way to compute; the list of them is in linear_registry.cc.
struct LinearKernelKind {
  // Whether it can hold `rows` and is what `options` ask for.
  bool (*fits)(const WeightRows& rows, const ComputeOptions& options);
  absl::StatusOr<std::unique_ptr<LinearKernel>> (*make)(const WeightRows& rows, const ComputeOptions& options);
};

// The first of the list that fits; the last one, the weight decoded to float, always does.
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeLinearKernel(const WeightRows& rows, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_LINEAR_KERNEL_H_
