// One token of each of some sequences through a decoder block.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/kernels/activations.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/model/decoder_block.h"

namespace tersor {

absl::Status DecoderBlock::CheckStep(KvCache& cache, std::span<const int64_t> slots, size_t hidden_size) const {
  PackedBatch batch;
  batch.cache = &cache;
  batch.slots.assign(slots.begin(), slots.end());
  for (int64_t i = 0; i <= static_cast<int64_t>(slots.size()); ++i) batch.offsets.push_back(i);
  return CheckBatch(batch, hidden_size);
}

absl::Status DecoderBlock::Step(KvCache& cache, std::span<const int64_t> slots, std::span<float> hidden) const {
  if (slots.empty()) return absl::InvalidArgumentError("a step of no sequences");
  TERSOR_RETURN_IF_ERROR(CheckStep(cache, slots, hidden.size()));
  const auto rows = static_cast<int64_t>(slots.size());
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t position = cache.length(slots[row]);
    cache.Reserve(slots[row], 1);
    if (positions_.empty()) continue;
    if ((position + 1) * width_ > static_cast<int64_t>(positions_.size())) {
      return absl::OutOfRangeError(absl::StrCat("the model has ", positions_.size() / width_, " learned positions"));
    }
    for (int64_t i = 0; i < width_; ++i) hidden[row * width_ + i] += positions_[position * width_ + i];
  }
  ScratchBuffer scratch(rows * (width_ + parts_[kQuery].layer.outputs));
  float* input = scratch.data();
  float* attended = input + rows * width_;
  input_norm_.Apply(hidden.data(), rows, input);
  TERSOR_RETURN_IF_ERROR(StepAttention(cache, slots, input, attended));
  if (spec_.parallel) inner_norm_.Apply(hidden.data(), rows, input);
  TERSOR_RETURN_IF_ERROR(AddRowOutput(kOutput, attended, rows, hidden.data()));
  if (!spec_.parallel) inner_norm_.Apply(hidden.data(), rows, input);
  return StepMlp(input, rows, hidden.data());
}

absl::Status DecoderBlock::StepAttention(KvCache& cache, std::span<const int64_t> slots, const float* input,
                                         float* attended) const {
  const AttentionSpec& a = spec_.attention;
  const auto rows = static_cast<int64_t>(slots.size());
  const int64_t query_width = parts_[kQuery].layer.outputs, key_width = parts_[kKey].layer.outputs;
  ScratchBuffer scratch(rows * (query_width + 2 * key_width));
  float* queries = scratch.data();
  float* keys = queries + rows * query_width;
  float* values = keys + rows * key_width;
  const RowProduct qkv[] = {parts_[kQuery].linear.Rows(input, rows, false, queries),
                            parts_[kKey].linear.Rows(input, rows, false, keys),
                            parts_[kValue].linear.Rows(input, rows, false, values)};
  TERSOR_RETURN_IF_ERROR(MultiplyRows(options_.threads, qkv));
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t position = cache.length(slots[row]);
    const auto rope = has_rope_ ? RopeTable::Get(spec_.rope, a.head_size, position + 1) : nullptr;
    RotateRow(rope.get(), position, queries + row * query_width, keys + row * key_width);
    cache.Append(index_, slots[row], position, keys + row * key_width, values + row * key_width);
    cache.Seal(index_, slots[row], position + 1);
  }
  const int64_t group_width = a.heads / a.kv_heads * a.head_size;
  return ParallelFor(options_.threads, rows * a.kv_heads, [&](int64_t task) {
    const int64_t row = task / a.kv_heads, kv_head = task % a.kv_heads;
    const int64_t at = row * query_width + kv_head * group_width;
    AttentionTile tile = MakeTile(cache.length(slots[row]), 1);
    tile.queries = queries + at;
    tile.outputs = attended + at;
    cache.Attend(index_, slots[row], static_cast<int>(kv_head), tile);
    return absl::OkStatus();
  });
}

absl::Status DecoderBlock::StepMlp(const float* input, int64_t rows, float* residual) const {
  const int64_t count = rows * spec_.inner_width;
  ScratchBuffer scratch(2 * count);
  float* gate = scratch.data();
  float* up = gate + count;
  if (spec_.gated) {
    const RowProduct gate_up[] = {parts_[kGate].linear.Rows(input, rows, false, gate),
                                  parts_[kUp].linear.Rows(input, rows, false, up)};
    TERSOR_RETURN_IF_ERROR(MultiplyRows(options_.threads, gate_up));
    ActivateGated(spec_.activation, gate, up, count);
  } else {
    const RowProduct only_up[] = {parts_[kUp].linear.Rows(input, rows, false, gate)};
    TERSOR_RETURN_IF_ERROR(MultiplyRows(options_.threads, only_up));
    Activate(spec_.activation, gate, count);
  }
  return AddRowOutput(kDown, gate, rows, residual);
}

absl::Status DecoderBlock::AddRowOutput(LinearIndex linear, const float* x, int64_t rows, float* residual) const {
  const Normalization& after = linear == kDown ? after_mlp_ : after_attention_;
  const bool direct = after.width() == 0;
  ScratchBuffer output(direct ? 0 : rows * width_);
  const RowProduct product[] = {parts_[linear].linear.Rows(x, rows, direct, direct ? residual : output.data())};
  TERSOR_RETURN_IF_ERROR(MultiplyRows(options_.threads, product));
  if (direct) return absl::OkStatus();
  after.Apply(output.data(), rows, output.data());
  for (int64_t i = 0; i < rows * width_; ++i) residual[i] += output.data()[i];
  return absl::OkStatus();
}

}  // namespace tersor
