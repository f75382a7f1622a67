#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/formats/json_text.h"
#include "core/model/architecture.h"
#include "core/model/config_json.h"
#include "core/model/spec_check.h"

namespace tersor {
namespace {

using Json = nlohmann::json;

bool SameLongRope(const RopeSpec& a, const RopeSpec& b) {
  if (a.longrope.has_value() != b.longrope.has_value()) return false;
  return !a.longrope || (a.longrope->short_factors == b.longrope->short_factors &&
                         a.longrope->long_factors == b.longrope->long_factors &&
                         a.longrope->original_context == b.longrope->original_context &&
                         a.longrope->magnitude == b.longrope->magnitude);
}

bool SameRope(const RopeSpec& a, const RopeSpec& b) {
  if (a.rotary_size != b.rotary_size || !SameLongRope(a, b)) return false;
  if (a.theta != b.theta || a.linear_factor != b.linear_factor || a.llama3.has_value() != b.llama3.has_value()) {
    return false;
  }
  return !a.llama3 || (a.llama3->factor == b.llama3->factor && a.llama3->low_freq_factor == b.llama3->low_freq_factor &&
                       a.llama3->high_freq_factor == b.llama3->high_freq_factor &&
                       a.llama3->original_context == b.llama3->original_context);
}

absl::Status CheckUniform(const ModelSpec& spec, bool rope_by_layer_type) {
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
    if (a.score_scale != b.score_scale || a.score_cap != b.score_cap) differs = "attention scores";
    if (first.gated != layer.gated || first.activation != layer.activation || first.parallel != layer.parallel ||
        first.placement != layer.placement) {
      differs = "feed-forward layer or norms";
    }
    const bool own_rope = rope_by_layer_type && (a.sliding_window > 0) != (b.sliding_window > 0);
    if (!own_rope && !SameRope(first.rope, layer.rope)) differs = "rotary embedding";
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

absl::Status WriteScaling(const RopeSpec& rope, Json& config) {
  config["rope_scaling"] = nullptr;
  if ((rope.linear_factor != 1) + rope.llama3.has_value() + rope.longrope.has_value() > 1) {
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
  if (rope.longrope) {
    config["original_max_position_embeddings"] = rope.longrope->original_context;
    config["rope_scaling"] = {{"rope_type", "longrope"},
                              {"type", "longrope"},
                              {"short_factor", rope.longrope->short_factors},
                              {"long_factor", rope.longrope->long_factors},
                              {"attention_factor", rope.longrope->magnitude}};
  }
  return absl::OkStatus();
}

// The same in the spelling of transformers 5: one object, or one a kind of layer.
void WriteRopeParameters(const Architecture& architecture, Json& config) {
  Json parameters = config["rope_scaling"].is_null() ? Json{{"rope_type", "default"}} : config["rope_scaling"];
  parameters["rope_theta"] = config["rope_theta"];
  if (config.contains("partial_rotary_factor")) parameters["partial_rotary_factor"] = config["partial_rotary_factor"];
  if (parameters["rope_type"] == "longrope") {
    parameters["original_max_position_embeddings"] = config["original_max_position_embeddings"];
  }
  if (!architecture.rope_by_layer_type) {
    config["rope_parameters"] = std::move(parameters);
    return;
  }
  config["rope_parameters"] = {{"full_attention", std::move(parameters)}};
  if (!config.contains("rope_local_base_freq")) return;
  config["rope_parameters"]["sliding_attention"] = {{"rope_type", "default"},
                                                    {"rope_theta", config["rope_local_base_freq"]}};
}

absl::Status WriteRope(const Architecture& architecture, const ModelSpec& spec, Json& config) {
  if (spec.positions != PositionKind::kRope) return absl::OkStatus();
  const RopeSpec* rope = &spec.layers.front().rope;
  if (architecture.rope_by_layer_type) {
    for (const LayerSpec& layer : spec.layers) {
      if (layer.attention.sliding_window == 0) rope = &layer.rope;
      if (layer.attention.sliding_window > 0) config["rope_local_base_freq"] = layer.rope.theta;
    }
  }
  config["rope_theta"] = rope->theta;
  if (rope->rotary_size != 0) {
    const int head_size = spec.layers.front().attention.head_size;
    const double share = static_cast<double>(rope->rotary_size) / head_size;
    config["partial_rotary_factor"] = share;
    config["rotary_pct"] = share;
  } else if (architecture.default_partial_rotary != 1) {
    config["partial_rotary_factor"] = 1.0;
    config["rotary_pct"] = 1.0;
  }
  if (architecture.default_partial_rotary != 1) config["rotary_emb_base"] = rope->theta;
  TERSOR_RETURN_IF_ERROR(WriteScaling(*rope, config));
  WriteRopeParameters(architecture, config);
  return absl::OkStatus();
}

const char* ActivationName(const Architecture& architecture, Activation activation) {
  switch (activation) {
    case Activation::kSilu:
      return "silu";
    case Activation::kGelu:
      return "gelu";
    case Activation::kGeluTanh:
      return architecture.default_activation == "gelu_pytorch_tanh" ? "gelu_pytorch_tanh" : "gelu_new";
    case Activation::kRelu:
      return "relu";
  }
  return "";
}

// What the architecture's row holds for all its models.
absl::Status CheckRow(const Architecture& architecture, const ModelSpec& spec) {
  const LayerSpec& layer = spec.layers.front();
  const bool scaled = spec.embedding_scale != 1 || spec.logit_cap != 0 || layer.attention.score_scale != 0 ||
                      layer.attention.score_cap != 0;
  if (spec.norm == architecture.norm && spec.positions == architecture.positions &&
      spec.position_offset == architecture.position_offset && layer.gated == architecture.gated &&
      layer.placement == architecture.placement && (!layer.parallel || architecture.may_be_parallel) &&
      (!scaled || architecture.gemma_scales)) {
    return absl::OkStatus();
  }
  return absl::UnimplementedError(
      absl::StrCat("config.json of ", architecture.class_name, " cannot say how this model's layers are built"));
}

void WriteSwitches(const Architecture& architecture, const ModelSpec& spec, Json& config) {
  const LayerSpec& layer = spec.layers.front();
  for (const RequiredSwitch& required : architecture.required) config[std::string(required.key)] = required.value;
  if (architecture.may_be_parallel) config["use_parallel_residual"] = layer.parallel;
  if (architecture.position_offset != 0) config["word_embed_proj_dim"] = spec.width;
  if (!architecture.gemma_scales) return;
  const auto cap = [](double value) { return value > 0 ? Json(value) : Json(); };
  const double scale = layer.attention.score_scale;
  // A whole number in every published model; the square of a root is off in its last bits.
  const double scalar = scale > 0 ? 1 / (scale * scale) : layer.attention.head_size;
  const bool whole = std::abs(scalar - std::round(scalar)) < 1e-9 * scalar;
  config["query_pre_attn_scalar"] = whole ? Json(static_cast<int64_t>(std::round(scalar))) : Json(scalar);
  config["attn_logit_softcapping"] = cap(layer.attention.score_cap);
  config["final_logit_softcapping"] = cap(spec.logit_cap);
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
  }
  if (architecture.window != WindowRule::kAllLayers) {
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
  TERSOR_RETURN_IF_ERROR(CheckUniform(spec, architecture->rope_by_layer_type));
  TERSOR_RETURN_IF_ERROR(CheckRow(*architecture, spec));
  const LayerSpec& layer = spec.layers.front();
  const ConfigKeys& keys = architecture->keys;
  Json config = {{"architectures", {std::string(architecture->class_name)}},
                 {"model_type", std::string(architecture->name)},
                 {"vocab_size", spec.vocabulary},
                 {std::string(keys.width), spec.width},
                 {std::string(keys.inner_width), layer.inner_width},
                 {std::string(keys.layers), spec.layers.size()},
                 {std::string(keys.heads), layer.attention.heads},
                 {"num_key_value_heads", layer.attention.kv_heads},
                 {"head_dim", layer.attention.head_size},
                 {std::string(keys.activation), ActivationName(*architecture, layer.activation)},
                 {std::string(keys.context), spec.context_length},
                 {"tie_word_embeddings", spec.tied},
                 {"torch_dtype", std::string(dtype)},
                 {"dtype", std::string(dtype)},
                 {"use_cache", true}};
  if (!keys.epsilon.empty()) config[std::string(keys.epsilon)] = spec.norm_epsilon;
  TERSOR_RETURN_IF_ERROR(WriteBiases(*architecture, layer, config));
  TERSOR_RETURN_IF_ERROR(WriteRope(*architecture, spec, config));
  TERSOR_RETURN_IF_ERROR(WriteWindows(*architecture, spec, config));
  WriteSwitches(*architecture, spec, config);
  WriteTokens(spec, config);
  return JsonText(config, 2) + "\n";
}

}  // namespace tersor
