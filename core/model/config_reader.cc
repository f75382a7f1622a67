#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/formats/json_fields.h"
#include "core/formats/json_text.h"
#include "core/model/architecture.h"
#include "core/model/config_json.h"
#include "core/model/config_rope.h"
#include "core/model/spec_check.h"

namespace tersor {
namespace {

// Wide enough for every real model; CheckSpec knows the limits that matter.
constexpr int64_t kMaxInt = INT32_MAX;

absl::StatusOr<const Architecture*> ReadArchitecture(const JsonFields& config) {
  TERSOR_ASSIGN_OR_RETURN(const std::string type, config.StringOr("model_type", ""));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<std::string> classes, config.StringsOrNone("architectures"));
  if (type.empty()) return absl::InvalidArgumentError("\"model_type\" is missing");
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(type));
  const bool known_class =
      classes.empty() || std::find(classes.begin(), classes.end(), architecture->class_name) != classes.end();
  if (known_class) return architecture;
  return absl::UnimplementedError(absl::StrCat("\"architectures\" is ", absl::StrJoin(classes, ", "), "; of ", type,
                                               " models ", architecture->class_name, " is supported"));
}

// Switches that make a model of another kind than the row describes.
absl::Status CheckSwitches(const JsonFields& config, const Architecture& architecture, int64_t width) {
  for (const RequiredSwitch& required : architecture.required) {
    TERSOR_ASSIGN_OR_RETURN(const bool value, config.BoolOr(required.key, required.value));
    if (value == required.value) continue;
    return absl::UnimplementedError(absl::StrCat("\"", required.key, "\" is ", value ? "true" : "false", "; of ",
                                                 architecture.name, " models only those with ",
                                                 required.value ? "true" : "false", " are supported"));
  }
  TERSOR_ASSIGN_OR_RETURN(const int64_t projected, config.IntegerOr("word_embed_proj_dim", 1, kMaxInt, width));
  if (projected == width) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat("\"word_embed_proj_dim\" is ", projected, ", another than the width, which is not supported"));
}

absl::StatusOr<Activation> ReadActivation(const JsonFields& config, const Architecture& architecture) {
  const absl::string_view key = architecture.keys.activation;
  TERSOR_ASSIGN_OR_RETURN(const std::string name, config.StringOr(key, architecture.default_activation));
  absl::StatusOr<Activation> activation = ActivationNamed(name);
  if (activation.ok()) return activation;
  return absl::UnimplementedError(absl::StrCat("\"", key, "\" is \"", name, "\"; ", activation.status().message()));
}

absl::StatusOr<AttentionSpec> ReadAttention(const JsonFields& config, const Architecture& architecture, int64_t width) {
  AttentionSpec attention;
  TERSOR_ASSIGN_OR_RETURN(attention.heads, config.Integer(architecture.keys.heads, 1, kMaxInt));
  TERSOR_ASSIGN_OR_RETURN(attention.kv_heads, config.IntegerOr("num_key_value_heads", 1, kMaxInt, attention.heads));
  if (!config.Has("head_dim") && width % attention.heads != 0) {
    return absl::InvalidArgumentError(absl::StrCat("\"", architecture.keys.heads, "\" is ", attention.heads,
                                                   ", which does not divide \"", architecture.keys.width, "\" ", width,
                                                   ", and there is no \"head_dim\""));
  }
  TERSOR_ASSIGN_OR_RETURN(attention.head_size, config.IntegerOr("head_dim", 1, kMaxInt, width / attention.heads));
  TERSOR_ASSIGN_OR_RETURN(const bool stated, config.BoolOr("attention_bias", architecture.default_bias));
  const auto biased = [stated](BiasRule rule) {
    return rule == BiasRule::kAlways || (rule == BiasRule::kStated && stated);
  };
  attention.qkv_bias = biased(architecture.qkv_bias);
  attention.output_bias = biased(architecture.output_bias);
  attention.qk_norm = architecture.qk_norm;
  if (!architecture.gemma_scales) return attention;
  TERSOR_ASSIGN_OR_RETURN(const double scalar, config.NumberOr("query_pre_attn_scalar", 256));
  if (!(scalar > 0)) return absl::InvalidArgumentError("\"query_pre_attn_scalar\" is not positive");
  attention.score_scale = 1 / std::sqrt(scalar);
  TERSOR_ASSIGN_OR_RETURN(attention.score_cap, config.NumberOr("attn_logit_softcapping", 0));
  return attention;
}

// The window of each layer; 0 is none.
absl::StatusOr<std::vector<int>> ReadWindows(const JsonFields& config, const Architecture& architecture,
                                             int64_t layers) {
  std::vector<int> windows(static_cast<size_t>(layers), 0);
  if (architecture.window == WindowRule::kNone) return windows;
  const bool upper = architecture.window == WindowRule::kUpperLayers;
  TERSOR_ASSIGN_OR_RETURN(const bool used, config.BoolOr("use_sliding_window", !upper));
  // A key that is there and null means no window; one that is missing means the architecture's own.
  const int64_t fallback = config.HasKey("sliding_window") ? 0 : architecture.default_window;
  TERSOR_ASSIGN_OR_RETURN(const int64_t window, config.IntegerOr("sliding_window", 1, kMaxInt, fallback));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<std::string> types, config.StringsOrNone("layer_types"));
  TERSOR_ASSIGN_OR_RETURN(const int64_t first, config.IntegerOr("max_window_layers", 0, kMaxInt, 28));
  if (!types.empty() && static_cast<int64_t>(types.size()) != layers) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"layer_types\" has ", types.size(), " entries for ", layers, " layers"));
  }
  TERSOR_ASSIGN_OR_RETURN(const int64_t old_period,
                          config.IntegerOr("_sliding_window_pattern", 1, kMaxInt, architecture.window_period));
  TERSOR_ASSIGN_OR_RETURN(const int64_t period, config.IntegerOr("sliding_window_pattern", 1, kMaxInt, old_period));
  for (int64_t i = 0; i < layers; ++i) {
    bool sliding = used && (!upper || i >= first);
    if (architecture.window == WindowRule::kAlternating) sliding = (i + 1) % period != 0;
    if (!types.empty()) {
      if (types[i] != "full_attention" && types[i] != "sliding_attention") {
        return absl::UnimplementedError(
            absl::StrCat("layer type \"", types[i], "\" of layer ", i, " is not supported"));
      }
      sliding = types[i] == "sliding_attention";
    }
    if (sliding && window == 0 && !types.empty()) {
      return absl::InvalidArgumentError(absl::StrCat("layer ", i, " slides and there is no \"sliding_window\""));
    }
    if (sliding) windows[i] = static_cast<int>(window);
  }
  return windows;
}

absl::Status ReadTokens(const JsonFields& config, ModelSpec& spec) {
  // Some files list several BOS ids, of which the first one counts, or give -1 for none.
  TERSOR_ASSIGN_OR_RETURN(spec.eos_ids, config.IntegersOrNone("eos_token_id", -1, kMaxInt));
  std::erase(spec.eos_ids, -1);
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int64_t> bos, config.IntegersOrNone("bos_token_id", -1, kMaxInt));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int64_t> pad, config.IntegersOrNone("pad_token_id", -1, kMaxInt));
  if (!bos.empty()) spec.bos_id = bos.front();
  if (!pad.empty()) spec.pad_id = pad.front();
  return absl::OkStatus();
}

// Everything but the layers.
absl::StatusOr<ModelSpec> ReadFrame(const JsonFields& config, const Architecture& architecture) {
  const ConfigKeys& keys = architecture.keys;
  ModelSpec spec;
  spec.architecture = std::string(architecture.name);
  TERSOR_ASSIGN_OR_RETURN(spec.vocabulary, config.Integer("vocab_size", 1, kMaxInt));
  TERSOR_ASSIGN_OR_RETURN(spec.width, config.Integer(keys.width, 1, kMaxInt));
  TERSOR_ASSIGN_OR_RETURN(spec.context_length, config.Integer(keys.context, 1, INT64_MAX));
  spec.norm = architecture.norm;
  const double usual_epsilon = architecture.norm == NormKind::kLayer ? 1e-5 : 1e-6;
  TERSOR_ASSIGN_OR_RETURN(spec.norm_epsilon, config.NumberOr(keys.epsilon, usual_epsilon));
  TERSOR_ASSIGN_OR_RETURN(spec.tied, config.BoolOr("tie_word_embeddings", architecture.default_tied));
  spec.positions = architecture.positions;
  spec.position_offset = architecture.position_offset;
  if (architecture.gemma_scales) {
    spec.embedding_scale = std::sqrt(static_cast<double>(spec.width));
    TERSOR_ASSIGN_OR_RETURN(spec.logit_cap, config.NumberOr("final_logit_softcapping", 0));
  }
  TERSOR_RETURN_IF_ERROR(ReadTokens(config, spec));
  return spec;
}

absl::StatusOr<LayerSpec> ReadLayer(const JsonFields& config, const Architecture& architecture, int64_t width) {
  LayerSpec layer;
  TERSOR_ASSIGN_OR_RETURN(layer.attention, ReadAttention(config, architecture, width));
  const absl::string_view inner = architecture.keys.inner_width;
  if (inner == "n_inner" && !config.Has(inner)) {
    layer.inner_width = static_cast<int>(std::min(4 * width, kMaxInt));
  } else {
    TERSOR_ASSIGN_OR_RETURN(layer.inner_width, config.Integer(inner, 1, kMaxInt));
  }
  TERSOR_ASSIGN_OR_RETURN(const bool mlp_bias, config.BoolOr("mlp_bias", false));
  layer.mlp_bias =
      architecture.mlp_bias == BiasRule::kAlways || (architecture.mlp_bias == BiasRule::kStated && mlp_bias);
  layer.gated = architecture.gated;
  layer.placement = architecture.placement;
  TERSOR_ASSIGN_OR_RETURN(layer.activation, ReadActivation(config, architecture));
  if (architecture.may_be_parallel) {
    TERSOR_ASSIGN_OR_RETURN(layer.parallel, config.BoolOr("use_parallel_residual", true));
  }
  return layer;
}

absl::StatusOr<ModelSpec> ReadSpec(const JsonFields& config) {
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, ReadArchitecture(config));
  TERSOR_ASSIGN_OR_RETURN(ModelSpec spec, ReadFrame(config, *architecture));
  TERSOR_RETURN_IF_ERROR(CheckSwitches(config, *architecture, spec.width));
  TERSOR_ASSIGN_OR_RETURN(LayerSpec layer, ReadLayer(config, *architecture, spec.width));
  TERSOR_ASSIGN_OR_RETURN(const int64_t layers, config.Integer(architecture->keys.layers, 1, kMaxLayers));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int> windows, ReadWindows(config, *architecture, layers));
  for (const int window : windows) {
    layer.attention.sliding_window = window;
    TERSOR_ASSIGN_OR_RETURN(layer.rope, ReadRope(config, *architecture, layer.attention.head_size, window > 0));
    spec.layers.push_back(layer);
  }
  TERSOR_RETURN_IF_ERROR(CheckSpec(spec));
  return spec;
}

}  // namespace

absl::StatusOr<ModelSpec> SpecFromConfigJson(absl::string_view text, absl::string_view where) {
  TERSOR_ASSIGN_OR_RETURN(const nlohmann::json object, ParseJsonObject(text, where));
  absl::StatusOr<ModelSpec> spec = ReadSpec(JsonFields(object));
  if (!spec.ok()) return Annotate(spec.status(), where);
  return spec;
}

}  // namespace tersor
