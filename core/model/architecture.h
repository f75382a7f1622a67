// The one list of architectures: what config.json and GGUF call them, what their layers have and how parameters are
// named.
#ifndef TERSOR_CORE_MODEL_ARCHITECTURE_H_
#define TERSOR_CORE_MODEL_ARCHITECTURE_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/model/model_spec.h"
#include "core/model/tensor_layout.h"
#include "core/tensor/tensor.h"

namespace tersor {

// Whether projections carry biases.
enum class BiasRule {
  kNever,
  kAlways,
  // config.json says it (attention_bias, mlp_bias); a GGUF file by having the tensors.
  kStated,
};

// Which layers attend to a window only.
enum class WindowRule {
  kNone,
  // sliding_window, where it is not null, holds for all layers.
  kAllLayers,
  // With use_sliding_window, for the layers from max_window_layers on.
  kUpperLayers,
  // For all but every window_period-th layer.
  kAlternating,
};

// What llama.cpp expects of output.weight.
enum class GgufHead {
  // The embedding where there is none.
  kOptional,
  // Always there.
  kRequired,
  // Never there: the head is the embedding.
  kNone,
};

// What config.json calls its figures. An empty key: the file has none and the fallback holds.
struct ConfigKeys {
  absl::string_view width = "hidden_size";
  absl::string_view layers = "num_hidden_layers";
  absl::string_view heads = "num_attention_heads";
  // Missing, or null in the file: four times the width where the key is n_inner, else an error.
  absl::string_view inner_width = "intermediate_size";
  absl::string_view context = "max_position_embeddings";
  absl::string_view epsilon = "rms_norm_eps";
  absl::string_view activation = "hidden_act";
};

// A switch of config.json that must have one value, or be missing, for the model to be what the row says.
struct RequiredSwitch {
  absl::string_view key;
  bool value;
};

struct Architecture {
  // ModelSpec::architecture, and config.json's model_type.
  absl::string_view name;
  // config.json's architectures[0].
  absl::string_view class_name;
  // general.architecture of a GGUF file; several rows may share it, the first one is read. Empty: not read from or
  // written to GGUF.
  absl::string_view gguf_name = "";
  BiasRule qkv_bias = BiasRule::kNever;
  BiasRule output_bias = BiasRule::kNever;
  BiasRule mlp_bias = BiasRule::kNever;
  // What a missing attention_bias means where biases are stated.
  bool default_bias = false;
  // RMSNorm over each head of q and k.
  bool qk_norm = false;
  WindowRule window = WindowRule::kNone;
  // sliding_window where config.json has no such key; 0 is none.
  int default_window = 0;
  // Of kAlternating: every how manyth layer sees all.
  int window_period = 0;
  // GGUF files hold q and k rows in the interleaved order: see row_permuted_tensor.h.
  bool gguf_permuted = false;
  // Where GGUF's names or joins are not Llama's.
  std::span<const TensorRule> gguf_rules = {};
  // Whether llama.cpp takes a head of its own in the file.
  GgufHead gguf_head = GgufHead::kOptional;

  ConfigKeys keys = {};
  // What a missing tie_word_embeddings means.
  bool default_tied = false;
  NormKind norm = NormKind::kRms;
  NormPlacement placement = NormPlacement::kPre;
  // use_parallel_residual, true where it is missing, says whether attention and MLP stand side by side.
  bool may_be_parallel = false;
  bool gated = true;
  // Name of the activation where config.json has none.
  absl::string_view default_activation = "silu";
  PositionKind positions = PositionKind::kRope;
  int64_t position_offset = 0;
  // Share of each head that is turned where config.json does not say.
  double default_partial_rotary = 1;
  // Gemma's: embeddings times sqrt(width), scores by query_pre_attn_scalar, soft caps.
  bool gemma_scales = false;
  // Rope of the layers without a window and of those with one may differ (Gemma 3).
  bool rope_by_layer_type = false;
  std::span<const RequiredSwitch> required = {};
  // Where Hugging Face's names or layout are not Llama's; empty: they are.
  std::span<const TensorRule> rules = {};
  // A prefix of the names that files leave out where the model was saved without its head (LlamaModel).
  absl::string_view optional_prefix = "model.";
  // Whether looking up the padding id trains its embedding (transformers: no padding_idx).
  bool trains_padding = false;
};

std::span<const Architecture> Architectures();

// The activation of the architecture's models where their file does not name one.
Activation DefaultActivation(const Architecture& architecture);
// The activation that config.json calls `name`; UNIMPLEMENTED lists what is known.
absl::StatusOr<Activation> ActivationNamed(absl::string_view name);

// UNIMPLEMENTED names what was asked for and lists what is known.
absl::StatusOr<const Architecture*> FindArchitecture(absl::string_view name);
absl::StatusOr<const Architecture*> FindGgufArchitecture(absl::string_view gguf_name);

// A parameter that a model must have.
struct ParameterSpec {
  // Tersor's name: Llama's Hugging Face name, whatever the architecture.
  std::string name;
  // GGUF's name.
  std::string gguf_name;
  Shape shape;
  // Heads by which GGUF permutes the rows; 0 where it does not.
  int64_t gguf_permuted_heads = 0;
  // GGUF holds the values plus this (Gemma's norms: 1).
  float gguf_added = 0;
};

// All parameters of the model, in file order; a tied head is left out. The spec's architecture must be in the list.
absl::StatusOr<std::vector<ParameterSpec>> ModelParameters(const ModelSpec& spec);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_ARCHITECTURE_H_
