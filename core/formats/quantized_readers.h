// One reader a quant_method. Private to core/formats; see quantized_weights.h.
#ifndef TERSOR_CORE_FORMATS_QUANTIZED_READERS_H_
#define TERSOR_CORE_FORMATS_QUANTIZED_READERS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/formats/quantized_weights.h"

namespace tersor {

// The tensors of a file that nobody has taken yet.
class TensorPool {
 public:
  explicit TensorPool(const Safetensors& file) : tensors_(file.tensors) {}

  // Modules that have a tensor MODULE + suffix.
  std::vector<std::string> ModulesWith(absl::string_view suffix) const;
  const Tensor* Find(absl::string_view name) const;
  // INVALID_ARGUMENT names the tensor that is missing.
  absl::StatusOr<Tensor> Take(const std::string& name);
  std::optional<Tensor> TakeIfThere(const std::string& name);
  // What is left, as dense tensors.
  absl::Status TakeRest(EncodedTensors& tensors);

 private:
  std::map<std::string, Tensor, std::less<>> tensors_;
};

absl::StatusOr<QuantizedWeights> ReadCompressedTensors(const nlohmann::json& config, const Safetensors& file);
absl::StatusOr<QuantizedWeights> ReadGptq(const nlohmann::json& config, const Safetensors& file);
absl::StatusOr<QuantizedWeights> ReadAwq(const nlohmann::json& config, const Safetensors& file);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_QUANTIZED_READERS_H_
