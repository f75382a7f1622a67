// Low-rank adapters (LoRA, arXiv 2106.09685) of a model's linear layers.
#ifndef TERSOR_CORE_TRAIN_ADAPTER_H_
#define TERSOR_CORE_TRAIN_ADAPTER_H_

#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/model/model_spec.h"
#include "core/train/parameter.h"
#include "core/train/trained_linear.h"

namespace tersor {

struct LoraOptions {
  int rank = 16;
  double alpha = 32;
  // Scale alpha / sqrt(rank) rather than alpha / rank (rsLoRA, arXiv 2312.03732).
  bool rank_stabilized = false;
  uint64_t seed = 0;

  float scale() const;
};

// Adapter of one linear module of the model's Hugging Face folder. A module may hold several of Tersor's layers
// (GPT-2's c_attn): they share `down`, and each has its rows of the module's other factor.
struct Adapter {
  struct Part {
    // Tersor's name of the layer.
    std::string layer;
    Parameter* up = nullptr;
    // Where its rows stand in the module: see TensorPart.
    int64_t first = 0, run = 1, stride = 1;
  };
  // "model.layers.0.self_attn.q_proj", "transformer.h.0.attn.c_attn".
  std::string module;
  int64_t outputs = 0;
  // Whether the folder stores the module's weight as [inputs, outputs].
  bool transposed = false;
  Parameter* down = nullptr;
  std::vector<Part> parts;
};

// Adapters of every linear layer of the blocks, their factors added to `parameters`: `down` uniform in
// +-1 / sqrt(inputs), drawn by the seed and the module's name, `up` zeros. INVALID_ARGUMENT where the rank is below 1
// or above what a layer's weight can have.
absl::StatusOr<std::vector<Adapter>> MakeAdapters(const ModelSpec& spec, const LoraOptions& options,
                                                  ParameterMap& parameters);

// The term of a layer; nothing where no adapter has it.
std::optional<LowRankTerm> FindTerm(const std::vector<Adapter>& adapters, const LoraOptions& options,
                                    absl::string_view layer);

}  // namespace tersor

#endif  // TERSOR_CORE_TRAIN_ADAPTER_H_
