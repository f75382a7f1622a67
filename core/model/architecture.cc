#include "core/model/architecture.h"

#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/model/architecture_rules.h"
#include "core/model/model.h"

namespace tersor {
namespace {

constexpr std::array kArchitectures = {
    Architecture{.name = "llama",
                 .class_name = "LlamaForCausalLM",
                 .gguf_name = "llama",
                 .qkv_bias = BiasRule::kStated,
                 .output_bias = BiasRule::kStated,
                 .mlp_bias = BiasRule::kStated,
                 .gguf_permuted = true},
    Architecture{.name = "mistral",
                 .class_name = "MistralForCausalLM",
                 .gguf_name = "llama",
                 .window = WindowRule::kAllLayers,
                 .default_window = 4096,
                 .gguf_permuted = true},
    Architecture{.name = "qwen2",
                 .class_name = "Qwen2ForCausalLM",
                 .gguf_name = "qwen2",
                 .qkv_bias = BiasRule::kAlways,
                 .window = WindowRule::kUpperLayers,
                 .default_window = 4096},
    Architecture{.name = "qwen3",
                 .class_name = "Qwen3ForCausalLM",
                 .gguf_name = "qwen3",
                 .qkv_bias = BiasRule::kStated,
                 .output_bias = BiasRule::kStated,
                 .qk_norm = true,
                 .window = WindowRule::kUpperLayers,
                 .default_window = 4096},
    Architecture{.name = "gpt2",
                 .class_name = "GPT2LMHeadModel",
                 .gguf_name = "gpt2",
                 .qkv_bias = BiasRule::kAlways,
                 .output_bias = BiasRule::kAlways,
                 .mlp_bias = BiasRule::kAlways,
                 .gguf_rules = kGgufJoinedQkvRules,
                 .keys = {.width = "n_embd",
                          .layers = "n_layer",
                          .heads = "n_head",
                          .inner_width = "n_inner",
                          .context = "n_positions",
                          .epsilon = "layer_norm_epsilon",
                          .activation = "activation_function"},
                 .default_tied = true,
                 .norm = NormKind::kLayer,
                 .gated = false,
                 .default_activation = "gelu_new",
                 .positions = PositionKind::kLearned,
                 .required = kGpt2Switches,
                 .rules = kGpt2Rules,
                 .optional_prefix = "transformer.",
                 .trains_padding = true},
    Architecture{.name = "opt",
                 .class_name = "OPTForCausalLM",
                 .qkv_bias = BiasRule::kAlways,
                 .output_bias = BiasRule::kAlways,
                 .mlp_bias = BiasRule::kAlways,
                 .keys = {.inner_width = "ffn_dim", .epsilon = "", .activation = "activation_function"},
                 .default_tied = true,
                 .norm = NormKind::kLayer,
                 .gated = false,
                 .default_activation = "relu",
                 .positions = PositionKind::kLearned,
                 .position_offset = 2,
                 .required = kOptSwitches,
                 .rules = kOptRules},
    Architecture{.name = "gpt_neox",
                 .class_name = "GPTNeoXForCausalLM",
                 .gguf_name = "gptneox",
                 .qkv_bias = BiasRule::kStated,
                 .output_bias = BiasRule::kStated,
                 .mlp_bias = BiasRule::kAlways,
                 .default_bias = true,
                 .gguf_rules = kGgufJoinedQkvRules,
                 .gguf_head = GgufHead::kRequired,
                 .keys = {.epsilon = "layer_norm_eps"},
                 .norm = NormKind::kLayer,
                 .may_be_parallel = true,
                 .gated = false,
                 .default_activation = "gelu",
                 .default_partial_rotary = 0.25,
                 .rules = kGptNeoxRules,
                 .optional_prefix = "gpt_neox.",
                 .trains_padding = true},
    Architecture{.name = "phi3",
                 .class_name = "Phi3ForCausalLM",
                 .gguf_name = "phi3",
                 .window = WindowRule::kAllLayers,
                 .gguf_rules = kGgufPhi3Rules,
                 .rules = kPhi3Rules},
    Architecture{.name = "gemma2",
                 .class_name = "Gemma2ForCausalLM",
                 .gguf_name = "gemma2",
                 .qkv_bias = BiasRule::kStated,
                 .output_bias = BiasRule::kStated,
                 .window = WindowRule::kAlternating,
                 .default_window = 4096,
                 .window_period = 2,
                 .gguf_rules = kGgufGemmaRules,
                 .gguf_head = GgufHead::kNone,
                 .keys = {.activation = "hidden_activation"},
                 .default_tied = true,
                 .norm = NormKind::kRmsPlusOne,
                 .placement = NormPlacement::kSandwich,
                 .default_activation = "gelu_pytorch_tanh",
                 .gemma_scales = true,
                 .required = kGemmaSwitches},
    Architecture{.name = "gemma3_text",
                 .class_name = "Gemma3ForCausalLM",
                 .gguf_name = "gemma3",
                 .qkv_bias = BiasRule::kStated,
                 .output_bias = BiasRule::kStated,
                 .qk_norm = true,
                 .window = WindowRule::kAlternating,
                 .default_window = 4096,
                 .window_period = 6,
                 .gguf_rules = kGgufGemmaRules,
                 .keys = {.activation = "hidden_activation"},
                 .default_tied = true,
                 .norm = NormKind::kRmsPlusOne,
                 .placement = NormPlacement::kSandwich,
                 .default_activation = "gelu_pytorch_tanh",
                 .gemma_scales = true,
                 .rope_by_layer_type = true,
                 .required = kGemmaSwitches},
};

struct NamedActivation {
  absl::string_view name;
  Activation activation;
};
constexpr std::array kActivations = {
    NamedActivation{"silu", Activation::kSilu},          NamedActivation{"swish", Activation::kSilu},
    NamedActivation{"gelu", Activation::kGelu},          NamedActivation{"gelu_new", Activation::kGeluTanh},
    NamedActivation{"gelu_fast", Activation::kGeluTanh}, NamedActivation{"gelu_pytorch_tanh", Activation::kGeluTanh},
    NamedActivation{"relu", Activation::kRelu}};

// What a layer's parameter is called and how large it is; an empty shape where this layer has none.
struct LayerRole {
  absl::string_view name;
  absl::string_view gguf_name;
  Shape (*shape)(const ModelSpec& model, const LayerSpec& layer);
  // Heads by which a permuting architecture orders its rows.
  int64_t (*permuted_heads)(const AttentionSpec& attention) = nullptr;
};

int64_t Queries(const LayerSpec& l) { return int64_t{l.attention.heads} * l.attention.head_size; }
int64_t Keys(const LayerSpec& l) { return int64_t{l.attention.kv_heads} * l.attention.head_size; }
int64_t Heads(const AttentionSpec& a) { return a.heads; }
int64_t KvHeads(const AttentionSpec& a) { return a.kv_heads; }
Shape If(bool present, int64_t size) { return present ? Shape{size} : Shape{}; }
bool HasNormBias(const ModelSpec& m) { return m.norm == NormKind::kLayer; }
float AddedToNorms(const ModelSpec& m) { return m.norm == NormKind::kRmsPlusOne ? 1 : 0; }
bool IsSandwich(const LayerSpec& l) { return l.placement == NormPlacement::kSandwich; }

using M = const ModelSpec&;
using L = const LayerSpec&;
constexpr std::array kLayerRoles = {
    LayerRole{"input_layernorm.weight", "attn_norm.weight", [](M m, L) { return Shape{m.width}; }},
    LayerRole{"input_layernorm.bias", "attn_norm.bias", [](M m, L) { return If(HasNormBias(m), m.width); }},
    LayerRole{"self_attn.q_proj.weight", "attn_q.weight",
              [](M m, L l) {
                return Shape{Queries(l), m.width};
              },
              Heads},
    LayerRole{"self_attn.q_proj.bias", "attn_q.bias", [](M, L l) { return If(l.attention.qkv_bias, Queries(l)); },
              Heads},
    LayerRole{"self_attn.k_proj.weight", "attn_k.weight",
              [](M m, L l) {
                return Shape{Keys(l), m.width};
              },
              KvHeads},
    LayerRole{"self_attn.k_proj.bias", "attn_k.bias", [](M, L l) { return If(l.attention.qkv_bias, Keys(l)); },
              KvHeads},
    LayerRole{"self_attn.v_proj.weight", "attn_v.weight",
              [](M m, L l) {
                return Shape{Keys(l), m.width};
              }},
    LayerRole{"self_attn.v_proj.bias", "attn_v.bias", [](M, L l) { return If(l.attention.qkv_bias, Keys(l)); }},
    LayerRole{"self_attn.q_norm.weight", "attn_q_norm.weight",
              [](M, L l) { return If(l.attention.qk_norm, l.attention.head_size); }},
    LayerRole{"self_attn.k_norm.weight", "attn_k_norm.weight",
              [](M, L l) { return If(l.attention.qk_norm, l.attention.head_size); }},
    LayerRole{"self_attn.o_proj.weight", "attn_output.weight",
              [](M m, L l) {
                return Shape{m.width, Queries(l)};
              }},
    LayerRole{"self_attn.o_proj.bias", "attn_output.bias",
              [](M m, L l) { return If(l.attention.output_bias, m.width); }},
    LayerRole{"post_attention_layernorm.weight", "ffn_norm.weight", [](M m, L) { return Shape{m.width}; }},
    LayerRole{"post_attention_layernorm.bias", "ffn_norm.bias", [](M m, L) { return If(HasNormBias(m), m.width); }},
    LayerRole{"pre_feedforward_layernorm.weight", "", [](M m, L l) { return If(IsSandwich(l), m.width); }},
    LayerRole{"post_feedforward_layernorm.weight", "", [](M m, L l) { return If(IsSandwich(l), m.width); }},
    LayerRole{"mlp.gate_proj.weight", "ffn_gate.weight",
              [](M m, L l) {
                return l.gated ? Shape{l.inner_width, m.width} : Shape{};
              }},
    LayerRole{"mlp.gate_proj.bias", "ffn_gate.bias", [](M, L l) { return If(l.gated && l.mlp_bias, l.inner_width); }},
    LayerRole{"mlp.up_proj.weight", "ffn_up.weight",
              [](M m, L l) {
                return Shape{l.inner_width, m.width};
              }},
    LayerRole{"mlp.up_proj.bias", "ffn_up.bias", [](M, L l) { return If(l.mlp_bias, l.inner_width); }},
    LayerRole{"mlp.down_proj.weight", "ffn_down.weight",
              [](M m, L l) {
                return Shape{m.width, l.inner_width};
              }},
    LayerRole{"mlp.down_proj.bias", "ffn_down.bias", [](M m, L l) { return If(l.mlp_bias, m.width); }},
};

}  // namespace

std::span<const Architecture> Architectures() { return kArchitectures; }

absl::StatusOr<Activation> ActivationNamed(absl::string_view name) {
  std::vector<absl::string_view> known;
  for (const NamedActivation& row : kActivations) {
    if (row.name == name) return row.activation;
    known.push_back(row.name);
  }
  return absl::UnimplementedError(absl::StrCat("no known activation; supported: ", absl::StrJoin(known, ", ")));
}

// The table's own names are all known.
Activation DefaultActivation(const Architecture& architecture) {
  return ActivationNamed(architecture.default_activation).value_or(Activation::kSilu);
}

absl::StatusOr<const Architecture*> FindArchitecture(absl::string_view name) {
  std::vector<absl::string_view> known;
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == name) return &architecture;
    known.push_back(architecture.name);
  }
  return absl::UnimplementedError(
      absl::StrCat("architecture \"", name, "\" is not supported; supported: ", absl::StrJoin(known, ", ")));
}

absl::StatusOr<const Architecture*> FindGgufArchitecture(absl::string_view gguf_name) {
  std::vector<absl::string_view> known;
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.gguf_name.empty()) continue;
    if (architecture.gguf_name == gguf_name) return &architecture;
    if (known.empty() || known.back() != architecture.gguf_name) known.push_back(architecture.gguf_name);
  }
  return absl::UnimplementedError(
      absl::StrCat("GGUF architecture \"", gguf_name, "\" is not supported; supported: ", absl::StrJoin(known, ", ")));
}

absl::StatusOr<std::vector<ParameterSpec>> ModelParameters(const ModelSpec& spec) {
  TERSOR_ASSIGN_OR_RETURN(const Architecture* architecture, FindArchitecture(spec.architecture));
  std::vector<ParameterSpec> parameters;
  parameters.push_back({std::string(kEmbeddingName), "token_embd.weight", {spec.vocabulary, spec.width}});
  if (spec.position_rows() > 0) {
    parameters.push_back({std::string(kPositionsName), "position_embd.weight", {spec.position_rows(), spec.width}});
  }
  for (size_t i = 0; i < spec.layers.size(); ++i) {
    const LayerSpec& layer = spec.layers[i];
    for (const LayerRole& role : kLayerRoles) {
      Shape shape = role.shape(spec, layer);
      if (shape.empty()) continue;
      const bool permuted = architecture->gguf_permuted && role.permuted_heads != nullptr;
      const bool norm = absl::EndsWith(role.name, "norm.weight");
      parameters.push_back({absl::StrCat("model.layers.", i, ".", role.name),
                            absl::StrCat("blk.", i, ".", role.gguf_name), std::move(shape),
                            permuted ? role.permuted_heads(layer.attention) : 0, norm ? AddedToNorms(spec) : 0});
    }
  }
  parameters.push_back({std::string(kFinalNormName), "output_norm.weight", {spec.width}, 0, AddedToNorms(spec)});
  if (HasNormBias(spec)) parameters.push_back({std::string(kFinalNormBiasName), "output_norm.bias", {spec.width}});
  if (!spec.tied) parameters.push_back({std::string(kHeadName), "output.weight", {spec.vocabulary, spec.width}});
  return parameters;
}

}  // namespace tersor
