// W8A8: 8-bit weights with a scale an output times 8-bit inputs with a scale a token. Private to core/model.
#ifndef TERSOR_CORE_MODEL_INT8_LINEAR_H_
#define TERSOR_CORE_MODEL_INT8_LINEAR_H_

#include <memory>

#include "core/model/linear_kernel.h"

namespace tersor {

bool Int8LinearFits(const WeightRows& rows, const ComputeOptions& options);
absl::StatusOr<std::unique_ptr<LinearKernel>> MakeInt8Linear(const WeightRows& rows, const ComputeOptions& options);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_INT8_LINEAR_H_
