// Weights that other tools quantized: what "quantization_config" of a config.json says about the tensors beside it.
#ifndef TERSOR_CORE_FORMATS_QUANTIZED_WEIGHTS_H_
#define TERSOR_CORE_FORMATS_QUANTIZED_WEIGHTS_H_

#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/formats/safetensors.h"
#include "core/formats/tensor_shard.h"
#include "nlohmann/json.hpp"

namespace tersor {

struct QuantizedWeights {
  // "gptq", "gptq_v2", "awq-gemm", "compressed-tensors:pack-quantized", ...
  std::string format;
  // By the names that the unquantized model has ("model.layers.0.mlp.up_proj.weight"): every tensor of the file, those
  // that are not quantized as they are.
  EncodedTensors tensors;
  // What the file asks of a runtime beside its weights and a reader of weights does not do, as sentences.
  std::vector<std::string> notes;
};

// Decodes nothing: codes, scales and zero points are repacked without loss. INVALID_ARGUMENT names the key or tensor
// that lies, is missing or does not fit; UNIMPLEMENTED names a method or format that is not read and lists those that
// are.
absl::StatusOr<QuantizedWeights> ReadQuantizedWeights(const nlohmann::json& quantization_config,
                                                      const Safetensors& file);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_QUANTIZED_WEIGHTS_H_
