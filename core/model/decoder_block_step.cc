// One token through a decoder block.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/kernels/vector_ops.h"
#include "core/model/decoder_block.h"

namespace tersor {

absl::Status DecoderBlock::Step(KvCache& cache, int64_t slot, std::span<float> hidden) const {
  if (slot < 0 || slot >= cache.slots()) return absl::OutOfRangeError(absl::StrCat("the cache has no slot ", slot));
  PackedBatch batch;
  batch.offsets = {0, 1};
  batch.cache = &cache;
  TERSOR_RETURN_IF_ERROR(CheckBatch(batch, hidden.size()));
  const AttentionSpec& a = spec_.attention;
  const int64_t query_width = parts_[kQuery].layer.outputs, key_width = parts_[kKey].layer.outputs;
  const int64_t position = cache.length(slot);
  cache.Reserve(slot, 1);

  ScratchBuffer scratch(width_ + 2 * (query_width + key_width + spec_.inner_width));
  float* input = scratch.data();
  float* query = input + width_;
  float* attended = query + query_width;
  float* key = attended + query_width;
  float* value = key + key_width;
  float* gate = value + key_width;
  float* up = gate + spec_.inner_width;

  Norm(input_norm_, hidden.data(), 1, input);
  const RowProduct qkv[] = {parts_[kQuery].linear.Row(input, false, query), parts_[kKey].linear.Row(input, false, key),
                            parts_[kValue].linear.Row(input, false, value)};
  TERSOR_RETURN_IF_ERROR(MultiplyRow(options_.threads, qkv));
  RotateRow(*RopeTable::Get(spec_.rope, a.head_size, position + 1), position, query, key);
  cache.Append(index_, slot, position, key, value);
  cache.Seal(index_, slot, position + 1);
  AttentionTile tile = MakeTile(position, 1);
  const int64_t group_width = tile.group * a.head_size;
  TERSOR_RETURN_IF_ERROR(ParallelFor(options_.threads, a.kv_heads, [&](int64_t kv_head) {
    AttentionTile part = tile;
    part.queries = query + kv_head * group_width;
    part.outputs = attended + kv_head * group_width;
    cache.Attend(index_, slot, static_cast<int>(kv_head), part);
    return absl::OkStatus();
  }));
  const RowProduct out[] = {parts_[kOutput].linear.Row(attended, true, hidden.data())};
  TERSOR_RETURN_IF_ERROR(MultiplyRow(options_.threads, out));
  Norm(inner_norm_, hidden.data(), 1, input);
  const RowProduct gate_up[] = {parts_[kGate].linear.Row(input, false, gate), parts_[kUp].linear.Row(input, false, up)};
  TERSOR_RETURN_IF_ERROR(MultiplyRow(options_.threads, gate_up));
  SwiGlu(gate, up, spec_.inner_width);
  const RowProduct down[] = {parts_[kDown].linear.Row(gate, true, hidden.data())};
  return MultiplyRow(options_.threads, down);
}

}  // namespace tersor
