// A weight of code book or FP8 codes multiplied in its codes. Private to core/model.
#ifndef TERSOR_CORE_MODEL_BOOK_LINEAR_H_
#define TERSOR_CORE_MODEL_BOOK_LINEAR_H_

#include <memory>

#include "core/model/linear_kernel.h"

namespace tersor {

bool BookLinearFits(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeBookLinear(const WeightRows& rows, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_BOOK_LINEAR_H_
