// Causal grouped-query attention over blocks of keys and values, without the matrix of all scores.
#ifndef TERSOR_CORE_KERNELS_ATTENTION_H_
#define TERSOR_CORE_KERNELS_ATTENTION_H_

#include <cstdint>
#include <span>

namespace tersor {

// Positions in a block. Blocks are counted from the sequence's start, so that a row's result depends on neither the
// batch, the tile it is computed in, nor on what came from a cache.
inline constexpr int64_t kKeyBlock = 64;

// Rows of values are padded to this many floats.
inline constexpr int64_t PaddedHeadSize(int64_t head_size) { return (head_size + 15) / 16 * 16; }

// Keys and values of one key-value head at positions b * kKeyBlock .. + kKeyBlock - 1.
struct KeyValueBlock {
  // [head_size][kKeyBlock]: column j is position j of the block.
  const float* keys = nullptr;
  // [kKeyBlock][PaddedHeadSize]; the padding holds finite numbers.
  const float* values = nullptr;
};

// Queries of one sequence that share a key-value head.
struct AttentionTile {
  int64_t head_size = 0;
  // Query heads a key-value head.
  int64_t group = 1;
  // A position sees itself and the window - 1 positions before it; 0 is all of them.
  int64_t window = 0;
  float scale = 1;
  // Scores s become cap * tanh(s / cap); 0 leaves them.
  float score_cap = 0;
  // Position of the first query, and how many follow one another.
  int64_t first_position = 0;
  int64_t positions = 0;
  // Head g of query i is at queries + i * query_stride + g * head_size; outputs are laid out alike.
  const float* queries = nullptr;
  int64_t query_stride = 0;
  float* outputs = nullptr;
  int64_t output_stride = 0;
  // Null, or where the logarithm of each query's sum of exponentials goes: head g of query i at
  // log_sums + i * log_sum_stride + g.
  float* log_sums = nullptr;
  int64_t log_sum_stride = 0;
  // Block b of the sequence; all positions up to the last query's are filled.
  std::span<const KeyValueBlock> blocks;
};

// How many positions make a good tile.
inline constexpr int64_t AttentionTilePositions(int64_t group) { return group >= 12 ? 8 : 96 / group; }

// On the calling thread.
void Attend(const AttentionTile& tile);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_ATTENTION_H_
