// One reader a quant_method. Private to core/formats; see quantized_weights.h.
#ifndef TERSOR_CORE_FORMATS_QUANTIZED_READERS_H_
#define TERSOR_CORE_FORMATS_QUANTIZED_READERS_H_

#include <functional>
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

// Reads MODULE's tensors out of the pool.
using ModuleReader = std::function<absl::StatusOr<EncodedTensorPtr>(const std::string& module, TensorPool& pool)>;

// Every module that has a tensor MODULE + `suffix`, and the tensors that then are left, as `format`; `drop` may take
// out of these what is no weight. INVALID_ARGUMENT names the module that does not fit, or says that there is none.
absl::StatusOr<QuantizedWeights> ReadModules(
    absl::string_view format, absl::string_view suffix, const Safetensors& file, const ModuleReader& read,
    const std::function<void(TensorPool& pool)>& drop = [](TensorPool&) {});

absl::StatusOr<QuantizedWeights> ReadCompressedTensors(const nlohmann::json& config, const Safetensors& file);
absl::StatusOr<QuantizedWeights> ReadGptq(const nlohmann::json& config, const Safetensors& file);
absl::StatusOr<QuantizedWeights> ReadAwq(const nlohmann::json& config, const Safetensors& file);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_QUANTIZED_READERS_H_
