#include "core/model/hidden_states.h"

#include <algorithm>
#include <memory>

#include "core/model/block.h"
#include "core/model/head.h"

namespace tersor {
namespace {

// Tokens whose queries, keys and values are in memory at once, unless one sequence alone has more.
constexpr int64_t kChunkTokens = 2048;

struct Chunk {
  int64_t first_token = 0;
  PackedBatch batch;
};

std::vector<Chunk> Split(const std::vector<int64_t>& offsets, std::span<const int64_t> shared) {
  std::vector<Chunk> chunks;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    const int64_t length = offsets[i + 1] - offsets[i];
    const bool alone = shared.empty() || shared[i] == 0;
    if (chunks.empty() || (alone && chunks.back().batch.tokens() + length > kChunkTokens)) {
      chunks.push_back({offsets[i], PackedBatch{{0}}});
    }
    if (!shared.empty()) chunks.back().batch.shared.push_back(shared[i]);
    chunks.back().batch.offsets.push_back(offsets[i + 1] - chunks.back().first_token);
  }
  return chunks;
}

}  // namespace

absl::StatusOr<std::vector<float>> HiddenStates(const Model& model, std::span<const int32_t> ids,
                                                const std::vector<int64_t>& offsets, const ComputeOptions& options,
                                                const CancellationToken* cancellation,
                                                const std::function<void(int, int)>& on_block,
                                                std::span<const int64_t> shared) {
  if (offsets.empty() || offsets.front() != 0 || offsets.back() != static_cast<int64_t>(ids.size()) ||
      !std::is_sorted(offsets.begin(), offsets.end())) {
    return absl::InvalidArgumentError("offsets must rise from 0 to the number of ids");
  }
  if (!shared.empty() && shared.size() + 1 != offsets.size()) {
    return absl::InvalidArgumentError("shared positions must be one number a sequence");
  }
  const int64_t width = model.spec.width;
  std::vector<float> hidden(ids.size() * width);
  TERSOR_RETURN_IF_ERROR(Embed(model, ids, hidden));
  const std::vector<Chunk> chunks = Split(offsets, shared);
  const int blocks = static_cast<int>(model.spec.layers.size());
  for (int b = 0; b < blocks; ++b) {
    TERSOR_ASSIGN_OR_RETURN(const std::unique_ptr<Block> block, Block::Load(model, b, options));
    for (const Chunk& chunk : chunks) {
      TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation));
      std::span<float> part(hidden.data() + chunk.first_token * width, chunk.batch.tokens() * width);
      TERSOR_RETURN_IF_ERROR(block->Forward(chunk.batch, part));
    }
    if (on_block) on_block(b + 1, blocks);
  }
  return hidden;
}

}  // namespace tersor
