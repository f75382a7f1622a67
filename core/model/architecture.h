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
};

struct Architecture {
  // ModelSpec::architecture, and config.json's model_type.
  absl::string_view name;
  // config.json's architectures[0].
  absl::string_view class_name;
  // general.architecture of a GGUF file; several rows may share it, the first one is read.
  absl::string_view gguf_name;
  BiasRule qkv_bias;
  BiasRule output_bias;
  BiasRule mlp_bias;
  // RMSNorm over each head of q and k.
  bool qk_norm;
  WindowRule window;
  // sliding_window where config.json has no such key; 0 is none.
  int default_window;
  // GGUF files hold q and k rows in the interleaved order: see row_permuted_tensor.h.
  bool gguf_permuted;
};

std::span<const Architecture> Architectures();

// UNIMPLEMENTED names what was asked for and lists what is known.
absl::StatusOr<const Architecture*> FindArchitecture(absl::string_view name);
absl::StatusOr<const Architecture*> FindGgufArchitecture(absl::string_view gguf_name);

// A parameter that a model must have.
struct ParameterSpec {
  // Hugging Face's name.
  std::string name;
  // GGUF's name.
  std::string gguf_name;
  Shape shape;
  // Heads by which GGUF permutes the rows; 0 where it does not.
  int64_t gguf_permuted_heads = 0;
};

// All parameters of the model, in file order; a tied head is left out. The spec's architecture must be in the list.
absl::StatusOr<std::vector<ParameterSpec>> ModelParameters(const ModelSpec& spec);

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_ARCHITECTURE_H_
