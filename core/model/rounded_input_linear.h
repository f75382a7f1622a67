// A linear layer whose inputs are rounded to their format first, in floats. Private to core/model.
#ifndef TERSOR_CORE_MODEL_ROUNDED_INPUT_LINEAR_H_
#define TERSOR_CORE_MODEL_ROUNDED_INPUT_LINEAR_H_

#include <memory>

#include "core/model/linear_kernel.h"

namespace tersor {

bool RoundedInputLinearFits(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeRoundedInputLinear(const WeightRows& rows,
                                                                     const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_ROUNDED_INPUT_LINEAR_H_
