// A pruned weight, multiplied by the values that are kept. Private to core/model.
#ifndef TERSOR_CORE_MODEL_SPARSE_LINEAR_H_
#define TERSOR_CORE_MODEL_SPARSE_LINEAR_H_

#include <memory>

#include "core/model/linear_kernel.h"

namespace tersor {

bool SparseLinearFits(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeSparseLinear(const WeightRows& rows, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_SPARSE_LINEAR_H_
