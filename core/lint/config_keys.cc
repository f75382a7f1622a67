#include "core/lint/config_keys.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// compressed-tensors 0.19: QuantizationConfig, QuantizationScheme and QuantizationArgs; the latter two forbid others.
constexpr std::array kConfig = {"quant_method", "format",          "quantization_status", "global_compression_ratio",
                                "ignore",       "config_groups",   "kv_cache_scheme",     "sparsity_config",
                                "version",      "transform_config"};
constexpr std::array kGroup = {"targets", "weights", "input_activations", "output_activations", "format"};
constexpr std::array kArguments = {"num_bits", "type",     "symmetric", "group_size",  "strategy", "block_structure",
                                   "dynamic",  "actorder", "observer",  "scale_dtype", "zp_dtype", "observer_kwargs"};
// AutoGPTQ 0.7 and GPTQModel 7.
constexpr std::array kGptq = {"quant_method",
                              "bits",
                              "group_size",
                              "sym",
                              "desc_act",
                              "static_groups",
                              "lm_head",
                              "checkpoint_format",
                              "format",
                              "pack_dtype",
                              "meta",
                              "dynamic",
                              "damp_percent",
                              "true_sequential",
                              "model_name_or_path",
                              "model_file_base_name",
                              "is_marlin_format",
                              "awq_gemm_checkpoint",
                              "quant_backend",
                              "modules_in_block_to_quantize",
                              "tokenizer",
                              "dataset",
                              "damp_auto_increment",
                              "mse",
                              "act_group_aware",
                              "gptaq",
                              "adapter",
                              "backend",
                              "method",
                              "use_cuda_fp16",
                              "model_seqlen",
                              "block_name_to_quantize",
                              "module_name_preceding_first_block",
                              "batch_size",
                              "pad_token_id",
                              "max_input_length",
                              "use_exllama",
                              "exllama_config",
                              "cache_block_outputs",
                              "foem",
                              "offload_to_disk",
                              "hessian",
                              "rotation"};
constexpr std::array kAwq = {
    "quant_method", "bits",    "group_size", "zero_point",      "version",          "modules_to_not_convert", "w_bit",
    "q_group_size", "backend", "do_fuse",    "modules_to_fuse", "fuse_max_seq_len", "exllama_config"};

void Check(const nlohmann::json& object, std::span<const char* const> known, const std::string& where, bool refused,
           Findings& findings) {
  if (!object.is_object()) return;
  const std::vector<std::string> names(known.begin(), known.end());
  for (const auto& [key, value] : object.items()) {
    if (std::find(names.begin(), names.end(), key) != names.end()) continue;
    const std::string message = absl::StrCat("\"", key, "\" is no key that readers know");
    if (refused) {
      findings.Error("UNKNOWN_CONFIG_KEY", absl::StrCat(where, ".", key),
                     absl::StrCat(message, "; they refuse the file"), "Remove the key, or correct its spelling");
    } else {
      findings.Warning("UNKNOWN_CONFIG_KEY", absl::StrCat(where, ".", key),
                       absl::StrCat(message, "; they pass over it"), "Remove the key, or correct its spelling");
    }
  }
}

}  // namespace

void CheckConfigKeys(const nlohmann::json& config, Findings& findings) {
  constexpr char kWhere[] = "quantization_config";
  if (!config.is_object()) return;
  const nlohmann::json method = config.value("quant_method", nlohmann::json());
  if (method == "gptq") return Check(config, kGptq, kWhere, false, findings);
  if (method == "awq") return Check(config, kAwq, kWhere, false, findings);
  if (method != "compressed-tensors") return;
  Check(config, kConfig, kWhere, false, findings);
  const auto groups = config.find("config_groups");
  if (groups == config.end() || !groups->is_object()) return;
  for (const auto& [name, group] : groups->items()) {
    const std::string where = absl::StrCat(kWhere, ".config_groups.", name);
    Check(group, kGroup, where, true, findings);
    for (const char* part : {"weights", "input_activations", "output_activations"}) {
      if (group.is_object() && group.contains(part)) {
        Check(group[part], kArguments, absl::StrCat(where, ".", part), true, findings);
      }
    }
  }
}

}  // namespace tersor
