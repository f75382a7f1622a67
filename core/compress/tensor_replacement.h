// What a compression method changes in a model.
#ifndef TERSOR_CORE_COMPRESS_TENSOR_REPLACEMENT_H_
#define TERSOR_CORE_COMPRESS_TENSOR_REPLACEMENT_H_

#include <string>

#include "core/encoding/encoded_tensor.h"

namespace tersor {

struct TensorReplacement {
  // Parameter name: "model.layers.0.mlp.down_proj.weight".
  std::string name;
  // Null removes the parameter.
  EncodedTensorPtr tensor;
};

}  // namespace tersor

#endif  // TERSOR_CORE_COMPRESS_TENSOR_REPLACEMENT_H_
