// The backward pass of causal grouped-query attention; probabilities are computed again from the scores' log-sums.
#ifndef TERSOR_CORE_KERNELS_ATTENTION_GRADIENT_H_
#define TERSOR_CORE_KERNELS_ATTENTION_GRADIENT_H_

#include <cstdint>

namespace tersor {

// One key-value head of one whole sequence, and the query heads that share it.
struct AttentionGradient {
  int64_t head_size = 0;
  // Query heads a key-value head.
  int64_t group = 1;
  // As of AttentionTile.
  int64_t window = 0;
  float scale = 1;
  float score_cap = 0;
  int64_t positions = 0;
  // Head g of position i is at i * query_stride + g * head_size; the outputs' gradients and the queries' are laid out
  // alike.
  const float* queries = nullptr;
  const float* outputs = nullptr;
  const float* output_gradients = nullptr;
  int64_t query_stride = 0;
  // What Attend gave: head g of position i at i * log_sum_stride + g.
  const float* log_sums = nullptr;
  int64_t log_sum_stride = 0;
  // Position i is at i * key_stride.
  const float* keys = nullptr;
  const float* values = nullptr;
  int64_t key_stride = 0;
  // Overwritten; laid out as queries, keys and values are.
  float* query_gradients = nullptr;
  float* key_gradients = nullptr;
  float* value_gradients = nullptr;
};

// On the calling thread; scratch grows with positions, not with their square.
void BackpropagateAttention(const AttentionGradient& gradient);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_ATTENTION_GRADIENT_H_
