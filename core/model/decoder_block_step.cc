// One token through a decoder block.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/kernels/activations.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
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

  if (!positions_.empty()) {
    if ((position + 1) * width_ > static_cast<int64_t>(positions_.size())) {
      return absl::OutOfRangeError(absl::StrCat("the model has ", positions_.size() / width_, " learned positions"));
    }
    for (int64_t i = 0; i < width_; ++i) hidden[i] += positions_[position * width_ + i];
  }
  input_norm_.Apply(hidden.data(), 1, input);
  const RowProduct qkv[] = {parts_[kQuery].linear.Row(input, false, query), parts_[kKey].linear.Row(input, false, key),
                            parts_[kValue].linear.Row(input, false, value)};
  TERSOR_RETURN_IF_ERROR(MultiplyRow(options_.threads, qkv));
  const auto rope = has_rope_ ? RopeTable::Get(spec_.rope, a.head_size, position + 1) : nullptr;
  RotateRow(rope.get(), position, query, key);
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
  if (spec_.parallel) inner_norm_.Apply(hidden.data(), 1, input);
  TERSOR_RETURN_IF_ERROR(AddRowOutput(kOutput, attended, hidden.data()));
  if (!spec_.parallel) inner_norm_.Apply(hidden.data(), 1, input);
  if (spec_.gated) {
    const RowProduct gate_up[] = {parts_[kGate].linear.Row(input, false, gate),
                                  parts_[kUp].linear.Row(input, false, up)};
    TERSOR_RETURN_IF_ERROR(MultiplyRow(options_.threads, gate_up));
    ActivateGated(spec_.activation, gate, up, spec_.inner_width);
  } else {
    const RowProduct only_up[] = {parts_[kUp].linear.Row(input, false, gate)};
    TERSOR_RETURN_IF_ERROR(MultiplyRow(options_.threads, only_up));
    Activate(spec_.activation, gate, spec_.inner_width);
  }
  return AddRowOutput(kDown, gate, hidden.data());
}

absl::Status DecoderBlock::AddRowOutput(LinearIndex linear, const float* x, float* residual) const {
  const Normalization& after = linear == kDown ? after_mlp_ : after_attention_;
  const bool direct = after.width() == 0;
  ScratchBuffer output(direct ? 0 : width_);
  const RowProduct product[] = {parts_[linear].linear.Row(x, direct, direct ? residual : output.data())};
  TERSOR_RETURN_IF_ERROR(MultiplyRow(options_.threads, product));
  if (direct) return absl::OkStatus();
  after.Apply(output.data(), 1, output.data());
  for (int64_t i = 0; i < width_; ++i) residual[i] += output.data()[i];
  return absl::OkStatus();
}

}  // namespace tersor
