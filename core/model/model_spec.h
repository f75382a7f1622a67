// The shapes of a model, whatever file they came from. Code asks these structs, never a parsed config.json.
#ifndef TERSOR_CORE_MODEL_MODEL_SPEC_H_
#define TERSOR_CORE_MODEL_MODEL_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/kernels/activations.h"

namespace tersor {

// Frequency scaling of Llama 3.1 (transformers' rope_type "llama3").
struct Llama3RopeScaling {
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  int64_t original_context = 8192;
};

// Phi-3's: each frequency is divided by a factor of its own; one list holds for sequences up to the original context,
// the other for longer ones. transformers' rope_type "longrope".
struct LongRopeScaling {
  std::vector<double> short_factors;
  std::vector<double> long_factors;
  int64_t original_context = 4096;
  // Cosines and sines are multiplied by it.
  double magnitude = 1;
};

// Rotary position embedding in the half-split ("rotate_half") layout of Hugging Face.
struct RopeSpec {
  double theta = 10000;
  // Position interpolation (rope_type "linear"): positions are divided by it.
  double linear_factor = 1;
  std::optional<Llama3RopeScaling> llama3;
  std::optional<LongRopeScaling> longrope;
  // Elements at the beginning of each head that are turned; 0 is all of them.
  int rotary_size = 0;
};

struct AttentionSpec {
  int heads = 0;
  int kv_heads = 0;
  int head_size = 0;
  bool qkv_bias = false;
  bool output_bias = false;
  // RMSNorm over each head of q and k before rope (Qwen3, Gemma 3).
  bool qk_norm = false;
  // A position sees itself and the window - 1 positions before it; 0 is all of them.
  int sliding_window = 0;
  // Scores are query x key times this; 0 is 1 / sqrt(head_size).
  double score_scale = 0;
  // Scores s become cap * tanh(s / cap); 0 leaves them (Gemma 2).
  double score_cap = 0;
};

enum class NormKind {
  // RMSNorm times its weight.
  kRms,
  // RMSNorm times 1 + its weight (Gemma).
  kRmsPlusOne,
  // LayerNorm with weight and bias.
  kLayer,
};

enum class NormPlacement {
  // Before attention and before the feed-forward layer.
  kPre,
  // Before and after each of them (Gemma 2 and 3).
  kSandwich,
};

enum class PositionKind { kRope, kLearned };

// One decoder block. kPre: x += Attention(Norm(x)); x += MLP(Norm(x)). kSandwich: x += Norm(Attention(Norm(x))) and so
// on. Parallel: x += Attention(Norm1(x)) + MLP(Norm2(x)). The MLP is Down(act(Gate(h)) * Up(h)), or Down(act(Up(h)))
// where it is not gated.
struct LayerSpec {
  AttentionSpec attention;
  RopeSpec rope;
  int inner_width = 0;
  bool mlp_bias = false;
  bool gated = true;
  Activation activation = Activation::kSilu;
  NormPlacement placement = NormPlacement::kPre;
  // kPre only.
  bool parallel = false;

  // Matrices of inner_width rows that the MLP's input is multiplied by: gate and up, or up alone.
  int inner_matrices() const { return gated ? 2 : 1; }
  // Weights of the block's linear layers, in a model of that width.
  int64_t LinearWeights(int64_t width) const {
    const int64_t heads = attention.heads + attention.kv_heads;
    return width * (2 * heads * attention.head_size + int64_t{inner_matrices() + 1} * inner_width);
  }
};

struct ModelSpec {
  // Row of the architecture table: "llama", "mistral", "qwen2", ...
  std::string architecture;
  std::string name;
  int64_t vocabulary = 0;
  int64_t width = 0;
  int64_t context_length = 0;
  NormKind norm = NormKind::kRms;
  double norm_epsilon = 1e-5;
  PositionKind positions = PositionKind::kRope;
  // Of learned positions: row of the table that belongs to position 0 (OPT: 2).
  int64_t position_offset = 0;
  // Embeddings are multiplied by it.
  double embedding_scale = 1;
  // Logits l become cap * tanh(l / cap); 0 leaves them.
  double logit_cap = 0;
  // Embedding and head are one parameter.
  bool tied = false;
  std::vector<LayerSpec> layers;
  int64_t bos_id = -1;
  std::vector<int64_t> eos_ids;
  int64_t pad_id = -1;

  // Rows of the table of learned positions; 0 without one.
  int64_t position_rows() const { return positions == PositionKind::kLearned ? context_length + position_offset : 0; }
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_MODEL_SPEC_H_
