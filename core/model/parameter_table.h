// From a file's tensors to a model's parameters.
#ifndef TERSOR_CORE_MODEL_PARAMETER_TABLE_H_
#define TERSOR_CORE_MODEL_PARAMETER_TABLE_H_

#include <functional>
#include <map>
#include <string>

#include "core/base/status.h"
#include "core/encoding/encoded_tensor.h"
#include "core/model/model_spec.h"

namespace tersor {

using TensorMap = std::map<std::string, EncodedTensorPtr, std::less<>>;

// Takes every parameter of `spec` out of `tensors`, which have Tersor's names. INVALID_ARGUMENT names a tensor that is
// missing, has another shape than expected, or is none of the model's.
absl::StatusOr<TensorMap> TakeParameters(const ModelSpec& spec, TensorMap tensors);

// The same from the tensors of a GGUF file, in Hugging Face's row order and with its norms. What the architecture's
// files join (tensor_layout.h) may stand for itself too.
absl::StatusOr<TensorMap> TakeGgufParameters(const ModelSpec& spec, TensorMap tensors);

// The same from the tensors of a Hugging Face folder, which may join or turn parameters (tensor_layout.h).
absl::StatusOr<TensorMap> TakeFolderParameters(const ModelSpec& spec, TensorMap tensors);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_PARAMETER_TABLE_H_
