#include "core/formats/quantization_settings.h"

#include <array>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/input_file.h"
#include "core/formats/json_text.h"

namespace tersor {
namespace {

constexpr uint64_t kMaxBytes = uint64_t{16} << 20;
constexpr absl::string_view kPackedEnding = ".qweight";

// Settings in a file of their own, by the program that writes it.
struct SettingsFile {
  const char* name;
  absl::string_view method;
};
constexpr std::array kFiles = {SettingsFile{"quantize_config.json", "gptq"}, SettingsFile{"quant_config.json", "awq"}};

// AutoAWQ's own words, which AutoGPTQ does not use.
bool IsAwq(const nlohmann::json& settings) {
  return settings.contains("w_bit") || settings.contains("q_group_size") || settings.contains("zero_point");
}

// Settings that do not say their method say it by their words; `fallback` where they do not either.
void AddMethod(absl::string_view fallback, nlohmann::json& settings) {
  if (settings.contains("quant_method")) return;
  if (settings.contains("config_groups")) {
    settings["quant_method"] = "compressed-tensors";
  } else if (IsAwq(settings)) {
    settings["quant_method"] = "awq";
  } else if (settings.contains("desc_act") || settings.contains("checkpoint_format")) {
    settings["quant_method"] = "gptq";
  } else if (!fallback.empty()) {
    settings["quant_method"] = std::string(fallback);
  }
}

absl::StatusOr<nlohmann::json> ReadFileOf(const SettingsFile& file, const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadInputFile(path, kMaxBytes));
  TERSOR_ASSIGN_OR_RETURN(nlohmann::json settings, ParseJsonObject(text, path.string()));
  AddMethod(file.method, settings);
  return settings;
}

// The first releases nested the weights' part beside a "sparsity_config".
nlohmann::json Unnested(nlohmann::json settings) {
  if (!settings.is_object()) return settings;
  const auto inner = settings.find("quantization_config");
  nlohmann::json flat = settings;
  if (inner != settings.end() && inner->is_object()) {
    flat = *inner;
    if (settings.contains("sparsity_config")) flat["sparsity_config"] = settings["sparsity_config"];
  }
  AddMethod("", flat);
  return flat;
}

struct TensorKind {
  absl::string_view ending;
  absl::string_view what;
};

constexpr absl::string_view kGptqOrAwq =
    "weights packed by GPTQ or AWQ, but config.json has no \"quantization_config\" and there is no "
    "quantize_config.json "
    "(GPTQ) or quant_config.json (AWQ) beside it: bits and group size are not known; copy the file with the settings "
    "too";
constexpr absl::string_view kCompressedTensors =
    "weights of compressed-tensors, but config.json has no \"quantization_config\": how they are packed is not known; "
    "take config.json of the quantized model";
constexpr absl::string_view kBitsAndBytes =
    "weights of bitsandbytes, which are not read; load and save the model unquantized, then quantize that";

constexpr std::array kKinds = {
    TensorKind{".qweight", kGptqOrAwq},
    TensorKind{".qzeros", kGptqOrAwq},
    TensorKind{".g_idx", kGptqOrAwq},
    TensorKind{".weight_packed", kCompressedTensors},
    TensorKind{".weight_shape", kCompressedTensors},
    TensorKind{".weight_scale", kCompressedTensors},
    TensorKind{".weight_zero_point", kCompressedTensors},
    TensorKind{".weight_g_idx", kCompressedTensors},
    TensorKind{".weight.absmax", kBitsAndBytes},
    TensorKind{".weight.nested_absmax", kBitsAndBytes},
    TensorKind{".weight.quant_map", kBitsAndBytes},
    TensorKind{".weight.nested_quant_map", kBitsAndBytes},
    TensorKind{".weight.quant_state.bitsandbytes__nf4", kBitsAndBytes},
    TensorKind{".weight.quant_state.bitsandbytes__fp4", kBitsAndBytes},
    TensorKind{".SCB", kBitsAndBytes},
    TensorKind{".weight_format", kBitsAndBytes},
    TensorKind{".biases", "weights packed by MLX, which are not read; take the unquantized model"},
    TensorKind{".W_q", "weights of HQQ, which are not read; load and save the model unquantized, then quantize that"},
    TensorKind{".weight_scale_inv",
               "scales of FP8 weights in blocks (quant_method \"fp8\"), which are not read; convert the model to BF16"},
    TensorKind{".weight_scale_2", "scales of NVIDIA ModelOpt, which are not read; take the unquantized model"},
};

}  // namespace

absl::StatusOr<QuantizationSettings> FindQuantizationSettings(const nlohmann::json& model_config,
                                                              const std::filesystem::path& folder,
                                                              const HasTensorEnding& has_ending) {
  for (const char* key : {"quantization_config", "compression_config"}) {
    const auto found = model_config.find(key);
    if (found == model_config.end() || found->is_null()) continue;
    return QuantizationSettings{Unnested(*found), {}};
  }
  if (!has_ending(kPackedEnding)) return QuantizationSettings();
  for (const SettingsFile& file : kFiles) {
    const std::filesystem::path path = folder / file.name;
    std::error_code error;
    if (!std::filesystem::exists(path, error)) continue;
    TERSOR_ASSIGN_OR_RETURN(nlohmann::json settings, ReadFileOf(file, path));
    return QuantizationSettings{std::move(settings), path};
  }
  return QuantizationSettings();
}

std::string QuantizedTensorHint(absl::string_view name) {
  for (const TensorKind& kind : kKinds) {
    if (absl::EndsWith(name, kind.ending)) return std::string(kind.what);
  }
  return "";
}

}  // namespace tersor
