// The shapes of a model, whatever file they came from. Code asks these structs, never a parsed config.json.
#ifndef TERSOR_CORE_MODEL_MODEL_SPEC_H_
#define TERSOR_CORE_MODEL_MODEL_SPEC_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tersor {

// Frequency scaling of Llama 3.1 (transformers' rope_type "llama3").
struct Llama3RopeScaling {
  double factor = 1;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  int64_t original_context = 8192;
};

// Rotary position embedding in the half-split ("rotate_half") layout of Hugging Face.
struct RopeSpec {
  double theta = 10000;
  // Position interpolation (rope_type "linear"): positions are divided by it.
  double linear_factor = 1;
  std::optional<Llama3RopeScaling> llama3;
};

struct AttentionSpec {
  int heads = 0;
  int kv_heads = 0;
  int head_size = 0;
  bool qkv_bias = false;
  bool output_bias = false;
  // RMSNorm over each head of q and k before rope (Qwen3).
  bool qk_norm = false;
  // A position sees itself and the window - 1 positions before it; 0 is all of them.
  int sliding_window = 0;
};

// One decoder block: x += Attention(RMSNorm(x)); x += Down(SiLU(Gate(h)) * Up(h)) with h = RMSNorm(x).
struct LayerSpec {
  AttentionSpec attention;
  RopeSpec rope;
  int inner_width = 0;
  bool mlp_bias = false;
};

struct ModelSpec {
  // Row of the architecture table: "llama", "mistral", "qwen2", "qwen3".
  std::string architecture;
  std::string name;
  int64_t vocabulary = 0;
  int64_t width = 0;
  int64_t context_length = 0;
  double norm_epsilon = 1e-5;
  // Embedding and head are one parameter.
  bool tied = false;
  std::vector<LayerSpec> layers;
  int64_t bos_id = -1;
  std::vector<int64_t> eos_ids;
  int64_t pad_id = -1;
};

}  // namespace tersor

#endif  // TERSOR_CORE_MODEL_MODEL_SPEC_H_
