// A weight of bit planes multiplied by look-up tables. Private to core/model.
#ifndef TERSOR_CORE_MODEL_BIT_PLANE_LINEAR_H_
#define TERSOR_CORE_MODEL_BIT_PLANE_LINEAR_H_

#include <memory>

#include "core/model/linear_kernel.h"

namespace tersor {

bool BitPlaneLinearFits(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeBitPlaneLinear(const WeightRows& rows, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_BIT_PLANE_LINEAR_H_
