// A group-int weight multiplied in its codes. Private to core/model.
#ifndef TERSOR_CORE_MODEL_LOW_BIT_LINEAR_H_
#define TERSOR_CORE_MODEL_LOW_BIT_LINEAR_H_

#include <memory>

#include "core/model/linear_kernel.h"

namespace tersor {

bool LowBitLinearFits(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeLowBitLinear(const WeightRows& rows, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_LOW_BIT_LINEAR_H_
