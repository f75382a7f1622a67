#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/formats/json_text.h"
#include "core/model/architecture.h"
#include "core/model/config_json.h"
#include "core/model/spec_check.h"

namespace tersor {
namespace {

using Json = nlohmann::json;

bool SameRope(const RopeSpec& a, const RopeSpec& b) {
  if (a.theta != b.theta || a.linear_factor != b.linear_factor || a.llama3.has_value() != b.llama3.has_value()) {
    return false;
  }
  return !a.llama3 || (a.llama3->factor == b.llama3->factor && a.llama3->low_freq_factor == b.llama3->low_freq_factor &&
                       a.llama3->high_freq_factor == b.llama3->high_freq_factor &&
                       a.llama3->original_context == b.llama3->original_context);
}

absl::Status CheckUniform(const ModelSpec& spec) {
  const LayerSpec& first = spec.layers.front();
  for (size_t i = 1; i < spec.layers.size(); ++i) {
    const LayerSpec& layer = spec.layers[i];
    const AttentionSpec& a = first.attention;
    const AttentionSpec& b = layer.attention;
    absl::string_view differs;
    if (a.heads != b.heads || a.kv_heads != b.kv_heads || a.head_size != b.head_size) differs = "attention heads";
    if (a.qkv_bias != b.qkv_bias || a.output_bias != b.output_bias || first.mlp_bias != layer.mlp_bias) {
      differs = "biases";
    }
    if (a.qk_norm != b.qk_norm) differs = "q and k norms";
    if (first.inner_width != layer.inner_width) differs = "inner width";
    if (!SameRope(first.rope, layer.rope)) differs = "rotary embedding";
    if (!differs.empty()) {
      return absl::UnimplementedError(
          absl::StrCat("config.json cannot say that layer ", i, " differs from layer 0 in its ", differs));
    }
  }
  return absl::OkStatus();
}

absl::Status WriteBiases(const Architecture& architecture, const LayerSpec& layer, Json& config) {
  const auto fits = [](BiasRule rule, bool biased) {
    return rule == BiasRule::kStated || biased == (rule == BiasRule::kAlways);
  };
  const AttentionSpec& attention = layer.attention;
  const bool stated = architecture.output_bias == BiasRule::kStated;
  if (!fits(architecture.qkv_bias, attention.qkv_bias) || !fits(architecture.output_bias, attention.output_bias) ||
      !fits(architecture.mlp_bias, layer.mlp_bias) || attention.qk_norm != architecture.qk_norm ||
      (stated && attention.qkv_bias != attention.output_bias)) {
    return absl::UnimplementedError(
        absl::StrCat("config.json of ", architecture.class_name, " cannot say which biases or norms this model has"));
  }
  if (stated) config["attention_bias"] = attention.qkv_bias;
  if (architecture.mlp_bias == BiasRule::kStated) config["mlp_bias"] = layer.mlp_bias;
  return absl::OkStatus();
}

absl::Status WriteRope(const RopeSpec& rope, Json& config) {
  config["rope_theta"] = rope.theta;
  config["rope_scaling"] = nullptr;
  if (rope.llama3 && rope.linear_factor != 1) {
    return absl::UnimplementedError("config.json cannot say two kinds of rope scaling at once");
  }
  if (rope.linear_factor != 1) config["rope_scaling"] = {{"rope_type", "linear"}, {"factor", rope.linear_factor}};
  if (rope.llama3) {
    config["rope_scaling"] = {{"rope_type", "llama3"},
                              {"factor", rope.llama3->factor},
                              {"low_freq_factor", rope.llama3->low_freq_factor},
                              {"high_freq_factor", rope.llama3->high_freq_factor},
                              {"original_max_position_embeddings", rope.llama3->original_context}};
  }
  return absl::OkStatus();
}

absl::Status WriteWindows(const Architecture& architecture, const ModelSpec& spec, Json& config) {
  int window = 0;
  size_t first = spec.layers.size();
  size_t sliding = 0;
  Json types = Json::array();
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const int own = spec.layers[i].attention.sliding_window;
    types.push_back(own > 0 ? "sliding_attention" : "full_attention");
    if (own == 0) continue;
    if (window != 0 && own != window)
      return absl::UnimplementedError("config.json cannot say windows of several sizes");
    window = own;
    first = std::min(first, i);
    ++sliding;
  }
  const bool all_or_none = sliding == 0 || sliding == spec.layers.size();
  if ((architecture.window == WindowRule::kNone && sliding > 0) ||
      (architecture.window == WindowRule::kAllLayers && !all_or_none)) {
    return absl::UnimplementedError(
        absl::StrCat("config.json of ", architecture.class_name, " cannot say which layers have a sliding window"));
  }
  if (architecture.window == WindowRule::kNone) return absl::OkStatus();
  config["sliding_window"] = window > 0 ? Json(window) : Json();
  if (architecture.window == WindowRule::kUpperLayers) {
    config["use_sliding_window"] = window > 0;
    config["max_window_layers"] = first;
    config["layer_types"] = std::move(types);
  }
  return absl::OkStatus();
}

void WriteTokens(const ModelSpec& spec, Json& config) {
  const auto id = [](int64_t value) { return value >= 0 ? Json(value) : Json(); };
  config["bos_token_id"] = id(spec.bos_id);
  config["pad_token_id"] = id(spec.pad_id);
  config["eos_token_id"] = nullptr;
  if (spec.eos_ids.size() == 1) config["eos_token_id"] = spec.eos_ids.front();
  if (spec.eos_ids.size() > 1) config["eos_token_id"] = spec.eos_ids;
}

}  // namespace

absl::StatusOr<std::string> ConfigJson(const ModelSpec& spec, absl::string_view dtype) {
  TERSOR_RETURN_IF_ERROR(CheckSpec(spec));
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(spec.architecture));
  TERSOR_RETURN_IF_ERROR(CheckUniform(spec));
  const LayerSpec& layer = spec.layers.front();
  Json config = {{"architectures", {std::string(architecture->class_name)}},
                 {"model_type", std::string(architecture->name)},
                 {"vocab_size", spec.vocabulary},
                 {"hidden_size", spec.width},
                 {"intermediate_size", layer.inner_width},
                 {"num_hidden_layers", spec.layers.size()},
                 {"num_attention_heads", layer.attention.heads},
                 {"num_key_value_heads", layer.attention.kv_heads},
                 {"head_dim", layer.attention.head_size},
                 {"hidden_act", "silu"},
                 {"max_position_embeddings", spec.context_length},
                 {"rms_norm_eps", spec.norm_epsilon},
                 {"tie_word_embeddings", spec.tied},
                 {"torch_dtype", std::string(dtype)},
                 {"use_cache", true}};
  TERSOR_RETURN_IF_ERROR(WriteBiases(*architecture, layer, config));
  TERSOR_RETURN_IF_ERROR(WriteRope(layer.rope, config));
  TERSOR_RETURN_IF_ERROR(WriteWindows(*architecture, spec, config));
  WriteTokens(spec, config);
  return JsonText(config, 2) + "\n";
}

}  // namespace tersor
