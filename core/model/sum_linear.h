// A weight of codes with float columns or sparse values added, multiplied in that form. Private to core/model.
#ifndef TERSOR_CORE_MODEL_SUM_LINEAR_H_
#define TERSOR_CORE_MODEL_SUM_LINEAR_H_

#include <memory>

#include "core/model/linear_kernel.h"

namespace tersor {

bool SumLinearFits(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeSumLinear(const WeightRows& rows, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_SUM_LINEAR_H_
