// A weight decoded to float (or bf16): computes any encoding. Private to core/model.
#ifndef TERSOR_CORE_MODEL_FLOAT_LINEAR_H_
#define TERSOR_CORE_MODEL_FLOAT_LINEAR_H_

#include <memory>

#include "core/model/linear_kernel.h"

namespace tersor {

bool FloatLinearFits(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeFloatLinear(const WeightRows& rows, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_FLOAT_LINEAR_H_
