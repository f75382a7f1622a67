#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/formats/json_text.h"
#include "core/model/architecture.h"
#include "core/model/config_json.h"
#include "core/model/json_fields.h"
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

// What Tersor would compute differently from what the file asks for.
absl::Status RefuseUnknownFeatures(const JsonFields& config) {
  if (const nlohmann::json* quantization = config.Find("quantization_config")) {
    const std::string method =
        quantization->is_object() ? quantization->value("quant_method", nlohmann::json()).dump() : "?";
    return absl::UnimplementedError(
        absl::StrCat("the weights are quantized already (\"quantization_config\" with method ", method,
                     "); give the original model"));
  }
  TERSOR_ASSIGN_OR_RETURN(const std::string activation, config.StringOr("hidden_act", "silu"));
  if (activation != "silu") {
    return absl::UnimplementedError(absl::StrCat("\"hidden_act\" is \"", activation, "\"; \"silu\" is supported"));
  }
  TERSOR_ASSIGN_OR_RETURN(const double partial, config.NumberOr("partial_rotary_factor", 1));
  if (partial != 1) return absl::UnimplementedError("\"partial_rotary_factor\" other than 1 is not supported");
  return absl::OkStatus();
}

absl::StatusOr<Llama3RopeScaling> ReadLlama3(const JsonFields& scaling) {
  Llama3RopeScaling llama3;
  TERSOR_ASSIGN_OR_RETURN(llama3.factor, scaling.Number("factor"));
  TERSOR_ASSIGN_OR_RETURN(llama3.low_freq_factor, scaling.Number("low_freq_factor"));
  TERSOR_ASSIGN_OR_RETURN(llama3.high_freq_factor, scaling.Number("high_freq_factor"));
  TERSOR_ASSIGN_OR_RETURN(llama3.original_context, scaling.Integer("original_max_position_embeddings", 1, INT64_MAX));
  return llama3;
}

absl::Status ReadRopeType(const JsonFields& scaling, RopeSpec& rope) {
  TERSOR_ASSIGN_OR_RETURN(const std::string old_type, scaling.StringOr("type", "default"));
  TERSOR_ASSIGN_OR_RETURN(const std::string type, scaling.StringOr("rope_type", old_type));
  if (type == "default") return absl::OkStatus();
  if (type == "linear") {
    TERSOR_ASSIGN_OR_RETURN(rope.linear_factor, scaling.Number("factor"));
    return absl::OkStatus();
  }
  if (type == "llama3") {
    TERSOR_ASSIGN_OR_RETURN(rope.llama3, ReadLlama3(scaling));
    return absl::OkStatus();
  }
  return absl::UnimplementedError(
      absl::StrCat("rope type \"", type, "\" is not supported; supported: default, linear, llama3"));
}

absl::StatusOr<RopeSpec> ReadRope(const JsonFields& config) {
  RopeSpec rope;
  TERSOR_ASSIGN_OR_RETURN(rope.theta, config.NumberOr("rope_theta", rope.theta));
  const absl::string_view key = config.Has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const nlohmann::json* object = config.Find(key);
  if (object == nullptr) return rope;
  if (!object->is_object()) return absl::InvalidArgumentError(absl::StrCat("\"", key, "\" is not an object"));
  for (const auto& [name, value] : object->items()) {
    if (value.is_object()) {
      return absl::UnimplementedError(
          absl::StrCat("\"", key, "\" differs by layer type (\"", name, "\"), which is not supported"));
    }
  }
  const JsonFields scaling(*object);
  absl::StatusOr<double> theta = scaling.NumberOr("rope_theta", rope.theta);
  if (!theta.ok()) return Annotate(theta.status(), key);
  rope.theta = *theta;
  absl::StatusOr<double> partial = scaling.NumberOr("partial_rotary_factor", 1);
  if (!partial.ok()) return Annotate(partial.status(), key);
  if (*partial != 1) return absl::UnimplementedError("\"partial_rotary_factor\" other than 1 is not supported");
  absl::Status status = ReadRopeType(scaling, rope);
  if (!status.ok()) return Annotate(status, key);
  return rope;
}

absl::StatusOr<AttentionSpec> ReadAttention(const JsonFields& config, const Architecture& architecture, int64_t width) {
  AttentionSpec attention;
  TERSOR_ASSIGN_OR_RETURN(attention.heads, config.Integer("num_attention_heads", 1, kMaxInt));
  TERSOR_ASSIGN_OR_RETURN(attention.kv_heads, config.IntegerOr("num_key_value_heads", 1, kMaxInt, attention.heads));
  if (!config.Has("head_dim") && width % attention.heads != 0) {
    return absl::InvalidArgumentError(absl::StrCat("\"num_attention_heads\" is ", attention.heads,
                                                   ", which does not divide \"hidden_size\" ", width,
                                                   ", and there is no \"head_dim\""));
  }
  TERSOR_ASSIGN_OR_RETURN(attention.head_size, config.IntegerOr("head_dim", 1, kMaxInt, width / attention.heads));
  TERSOR_ASSIGN_OR_RETURN(const bool stated, config.BoolOr("attention_bias", false));
  const auto biased = [stated](BiasRule rule) {
    return rule == BiasRule::kAlways || (rule == BiasRule::kStated && stated);
  };
  attention.qkv_bias = biased(architecture.qkv_bias);
  attention.output_bias = biased(architecture.output_bias);
  attention.qk_norm = architecture.qk_norm;
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
  for (int64_t i = 0; i < layers; ++i) {
    bool sliding = used && (!upper || i >= first);
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
  TERSOR_ASSIGN_OR_RETURN(spec.eos_ids, config.IntegersOrNone("eos_token_id", 0, kMaxInt));
  // Some files list several BOS ids or give -1 for no padding; the first one counts.
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int64_t> bos, config.IntegersOrNone("bos_token_id", -1, kMaxInt));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int64_t> pad, config.IntegersOrNone("pad_token_id", -1, kMaxInt));
  if (!bos.empty()) spec.bos_id = bos.front();
  if (!pad.empty()) spec.pad_id = pad.front();
  return absl::OkStatus();
}

absl::StatusOr<ModelSpec> ReadSpec(const JsonFields& config) {
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, ReadArchitecture(config));
  TERSOR_RETURN_IF_ERROR(RefuseUnknownFeatures(config));
  ModelSpec spec;
  spec.architecture = std::string(architecture->name);
  TERSOR_ASSIGN_OR_RETURN(spec.vocabulary, config.Integer("vocab_size", 1, kMaxInt));
  TERSOR_ASSIGN_OR_RETURN(spec.width, config.Integer("hidden_size", 1, kMaxInt));
  TERSOR_ASSIGN_OR_RETURN(spec.context_length, config.Integer("max_position_embeddings", 1, INT64_MAX));
  TERSOR_ASSIGN_OR_RETURN(spec.norm_epsilon, config.NumberOr("rms_norm_eps", 1e-6));
  TERSOR_ASSIGN_OR_RETURN(spec.tied, config.BoolOr("tie_word_embeddings", false));
  TERSOR_RETURN_IF_ERROR(ReadTokens(config, spec));
  LayerSpec layer;
  TERSOR_ASSIGN_OR_RETURN(layer.attention, ReadAttention(config, *architecture, spec.width));
  TERSOR_ASSIGN_OR_RETURN(layer.rope, ReadRope(config));
  TERSOR_ASSIGN_OR_RETURN(layer.inner_width, config.Integer("intermediate_size", 1, kMaxInt));
  TERSOR_ASSIGN_OR_RETURN(const bool mlp_bias, config.BoolOr("mlp_bias", false));
  layer.mlp_bias = architecture->mlp_bias == BiasRule::kStated && mlp_bias;
  TERSOR_ASSIGN_OR_RETURN(const int64_t layers, config.Integer("num_hidden_layers", 1, kMaxLayers));
  TERSOR_ASSIGN_OR_RETURN(const std::vector<int> windows, ReadWindows(config, *architecture, layers));
  for (const int window : windows) {
    layer.attention.sliding_window = window;
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
