// Where a Hugging Face folder says how its weights were quantized.
#ifndef TERSOR_CORE_FORMATS_QUANTIZATION_SETTINGS_H_
#define TERSOR_CORE_FORMATS_QUANTIZATION_SETTINGS_H_

#include <filesystem>
#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "nlohmann/json.hpp"

namespace tersor {

struct QuantizationSettings {
  // With a "quant_method", its own or the one whose words it uses; null where the folder says nothing.
  nlohmann::json config;
  // The file beside config.json that says it; empty: config.json itself.
  std::filesystem::path file;
};

// Asks whether some tensor's name ends so.
using HasTensorEnding = std::function<bool(absl::string_view ending)>;

// "quantization_config" of config.json, else "compression_config" (its name in compressed-tensors' first releases),
// else, where the weights are packed, quantize_config.json (AutoGPTQ) or quant_config.json (AutoAWQ), which do not say
// the method. INVALID_ARGUMENT names the file that is not what it should be.
absl::StatusOr<QuantizationSettings> FindQuantizationSettings(const nlohmann::json& model_config,
                                                              const std::filesystem::path& folder,
                                                              const HasTensorEnding& has_ending);

// What a tensor is that only a quantized folder has, by how its name ends, and what is missing to read it: the rest of
// a message for a folder without settings. Empty for other names.
std::string QuantizedTensorHint(absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_QUANTIZATION_SETTINGS_H_
