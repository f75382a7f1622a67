// Integer weights times integer inputs: W8A8 and all that fits into 8 bits. Private to core/model.
#ifndef TERSOR_CORE_MODEL_INT8_LINEAR_H_
#define TERSOR_CORE_MODEL_INT8_LINEAR_H_

#include <memory>

#include "core/model/linear_kernel.h"

namespace tersor {

// Where StoredProducts (integer_products.h) says so.
bool Int8LinearFits(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeInt8Linear(const WeightRows& rows, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_INT8_LINEAR_H_
