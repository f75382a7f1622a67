#include <algorithm>

#include "core/kernels/activation_gradients.h"
#include "core/kernels/activations.h"
#include "core/kernels/attention_gradient.h"
#include "core/kernels/gradient_product.h"
#include "core/train/trained_block_parts.h"

namespace tersor {

// Gradients of one pass, rows being tokens, and inputs of layers that are computed again for them.
struct TrainedBlock::Gradients {
  ScratchBuffer input, inner_input, inner;
  // Of what each linear layer gives. `output` and `down` are where a norm follows; else they are `middle` and the
  // block's own.
  ScratchBuffer queries, keys, values, output, gate, up, down;
  ScratchBuffer middle, attended;
  // Of what norms give.
  ScratchBuffer normed_input, inner_normed, normed_queries, normed_keys;
  std::array<const float*, kLinears> of = {};
  // Of layers with a low-rank term.
  std::array<ScratchBuffer, kLinears> term_inner, term_gradient;
};

absl::Status TrainedBlock::Backward(const PackedBatch& batch, const BlockActivations& activations,
                                    std::span<float> gradient) {
  const int64_t tokens = batch.tokens();
  if (gradient.size() != static_cast<size_t>(tokens * width_) || activations.hidden.size() != gradient.size()) {
    return absl::InvalidArgumentError("gradient, activations and batch of a block are not of one size");
  }
  TERSOR_ASSIGN_OR_RETURN(const auto held, Hold(TrainedLinear::Direction::kBackward));
  const Layout layout = LayOut(batch);
  Gradients g;
  for (ScratchBuffer* buffer : {&g.input, &g.inner_input, &g.middle, &g.normed_input, &g.inner_normed}) {
    *buffer = ScratchBuffer(tokens * width_);
  }
  g.inner = ScratchBuffer(tokens * spec_.inner_width);
  g.up = ScratchBuffer(tokens * spec_.inner_width);
  g.gate = ScratchBuffer(spec_.gated ? tokens * spec_.inner_width : 0);
  g.queries = ScratchBuffer(tokens * query_width_);
  g.attended = ScratchBuffer(tokens * query_width_);
  g.keys = ScratchBuffer(tokens * key_width_);
  g.values = ScratchBuffer(tokens * key_width_);
  g.normed_queries = ScratchBuffer(spec_.attention.qk_norm ? tokens * query_width_ : 0);
  g.normed_keys = ScratchBuffer(spec_.attention.qk_norm ? tokens * key_width_ : 0);
  g.output = ScratchBuffer(is_sandwich() ? tokens * width_ : 0);
  g.down = ScratchBuffer(is_sandwich() ? tokens * width_ : 0);
  g.of = {g.queries.data(),
          g.keys.data(),
          g.values.data(),
          is_sandwich() ? g.output.data() : g.middle.data(),
          g.gate.data(),
          g.up.data(),
          is_sandwich() ? g.down.data() : gradient.data()};
  for (int i = 0; i < kLinears; ++i) {
    g.term_inner[i] = ScratchBuffer(tokens * linears_[i].rank());
    g.term_gradient[i] = ScratchBuffer(tokens * linears_[i].rank());
  }
  TERSOR_RETURN_IF_ERROR(
      ForTiles(tokens, [&](Tile tile) { return BackwardMlp(tile, activations, gradient.data(), g); }));
  TERSOR_RETURN_IF_ERROR(BackwardAttention(layout, activations, g));
  // Gradients of the layers before the block's output is overwritten by its input's.
  ScratchBuffer input_gradient(tokens * width_);
  TERSOR_RETURN_IF_ERROR(
      ForTiles(tokens, [&](Tile tile) { return BackwardQkv(layout, tile, activations, g, input_gradient.data()); }));
  TERSOR_RETURN_IF_ERROR(AddGradients(activations, gradient.data(), g));
  std::copy_n(input_gradient.data(), gradient.size(), gradient.data());
  return absl::OkStatus();
}

absl::Status TrainedBlock::BackwardLinear(LinearIndex linear, Tile tile, bool accumulate, float* x_gradient,
                                          Gradients& g) const {
  const TrainedLinear& layer = linears_[linear];
  return layer.Backward(g.of[linear] + tile.first * layer.outputs(), tile.count, accumulate, x_gradient,
                        g.term_gradient[linear].data() + tile.first * layer.rank());
}

absl::Status TrainedBlock::BackwardMlp(Tile tile, const BlockActivations& a, const float* gradient,
                                       Gradients& g) const {
  const int64_t at = tile.first * width_, inner_at = tile.first * spec_.inner_width;
  const int64_t inner_count = tile.count * spec_.inner_width;
  // What the layers read is made again.
  const float* const inner_source = (spec_.parallel ? a.hidden : a.middle).data() + at;
  inner_norm_.Forward(inner_source, tile.count, g.inner_input.data() + at);
  const float* const before = (spec_.gated ? a.gate : a.up).data() + inner_at;
  float* const inner = g.inner.data() + inner_at;
  std::copy_n(before, inner_count, inner);
  float* const up_gradient = g.up.data() + inner_at;
  if (is_sandwich())
    after_mlp_.Backward(a.mlp_output.data() + at, gradient + at, tile.count, false, g.down.data() + at);
  TERSOR_RETURN_IF_ERROR(BackwardLinear(kDown, tile, false, up_gradient, g));
  float* const normed = g.inner_normed.data() + at;
  if (spec_.gated) {
    ActivateGated(spec_.activation, inner, a.up.data() + inner_at, inner_count);
    BackpropagateGated(spec_.activation, before, a.up.data() + inner_at, up_gradient, g.gate.data() + inner_at,
                       inner_count);
    TERSOR_RETURN_IF_ERROR(BackwardLinear(kGate, tile, false, normed, g));
  } else {
    Activate(spec_.activation, inner, inner_count);
    BackpropagateActivation(spec_.activation, before, up_gradient, inner_count);
  }
  TERSOR_RETURN_IF_ERROR(BackwardLinear(kUp, tile, spec_.gated, normed, g));
  float* const middle = g.middle.data() + at;
  std::copy_n(gradient + at, tile.count * width_, middle);
  if (!spec_.parallel) inner_norm_.Backward(inner_source, normed, tile.count, true, middle);
  if (is_sandwich()) {
    after_attention_.Backward(a.attention_output.data() + at, middle, tile.count, false, g.output.data() + at);
  }
  return BackwardLinear(kOutput, tile, false, g.attended.data() + tile.first * query_width_, g);
}

absl::Status TrainedBlock::BackwardAttention(const Layout& layout, const BlockActivations& a, Gradients& g) const {
  const AttentionSpec& spec = spec_.attention;
  const int64_t group = spec.heads / spec.kv_heads, sequences = static_cast<int64_t>(layout.offsets.size()) - 1;
  return ParallelFor(options_.threads, sequences * spec.kv_heads, [&](int64_t task) {
    const int64_t sequence = task / spec.kv_heads, head = task % spec.kv_heads;
    const int64_t first = layout.offsets[sequence];
    const AttentionTile tile = MakeTile(0, layout.offsets[sequence + 1] - first);
    const int64_t query_at = first * query_width_ + head * group * spec.head_size;
    const int64_t key_at = first * key_width_ + head * spec.head_size;
    AttentionGradient gradient;
    gradient.head_size = tile.head_size;
    gradient.group = group;
    gradient.window = tile.window;
    gradient.scale = tile.scale;
    gradient.score_cap = tile.score_cap;
    gradient.positions = tile.positions;
    gradient.queries = a.queries.data() + query_at;
    gradient.outputs = a.attended.data() + query_at;
    gradient.output_gradients = g.attended.data() + query_at;
    gradient.query_stride = query_width_;
    gradient.log_sums = a.log_sums.data() + first * spec.heads + head * group;
    gradient.log_sum_stride = spec.heads;
    gradient.keys = a.keys.data() + key_at;
    gradient.values = a.values.data() + key_at;
    gradient.key_stride = key_width_;
    gradient.query_gradients = g.queries.data() + query_at;
    gradient.key_gradients = g.keys.data() + key_at;
    gradient.value_gradients = g.values.data() + key_at;
    BackpropagateAttention(gradient);
    return absl::OkStatus();
  });
}

absl::Status TrainedBlock::BackwardQkv(const Layout& layout, Tile tile, const BlockActivations& a, Gradients& g,
                                       float* gradient) const {
  const AttentionSpec& spec = spec_.attention;
  const int64_t at = tile.first * width_;
  float* const queries = g.queries.data() + tile.first * query_width_;
  float* const keys = g.keys.data() + tile.first * key_width_;
  for (int64_t row = 0; row < tile.count; ++row) {
    const auto [sequence, position] = layout.places[tile.first + row];
    Rotate(layout.RopeOf(sequence), position, -1, queries + row * query_width_, spec.heads);
    Rotate(layout.RopeOf(sequence), position, -1, keys + row * key_width_, spec.kv_heads);
  }
  if (spec.qk_norm) {
    const auto undo = [&](const TrainedNorm& norm, const std::vector<float>& raw, int64_t width, int64_t heads,
                          ScratchBuffer& normed, float* head_gradient) {
      std::copy_n(head_gradient, tile.count * width, normed.data() + tile.first * width);
      norm.Backward(raw.data() + tile.first * width, head_gradient, tile.count * heads, false, head_gradient);
    };
    undo(query_norm_, a.raw_queries, query_width_, spec.heads, g.normed_queries, queries);
    undo(key_norm_, a.raw_keys, key_width_, spec.kv_heads, g.normed_keys, keys);
  }
  input_norm_.Forward(a.hidden.data() + at, tile.count, g.input.data() + at);
  float* const normed = g.normed_input.data() + at;
  TERSOR_RETURN_IF_ERROR(BackwardLinear(kQuery, tile, false, normed, g));
  TERSOR_RETURN_IF_ERROR(BackwardLinear(kKey, tile, true, normed, g));
  TERSOR_RETURN_IF_ERROR(BackwardLinear(kValue, tile, true, normed, g));
  std::copy_n(g.middle.data() + at, tile.count * width_, gradient + at);
  input_norm_.Backward(a.hidden.data() + at, normed, tile.count, true, gradient + at);
  if (spec_.parallel) {
    inner_norm_.Backward(a.hidden.data() + at, g.inner_normed.data() + at, tile.count, true, gradient + at);
  }
  return absl::OkStatus();
}

absl::Status TrainedBlock::AddGradients(const BlockActivations& a, const float* gradient, Gradients& g) const {
  const int64_t tokens = static_cast<int64_t>(a.hidden.size()) / width_;
  const float* const inputs[kLinears] = {g.input.data(),       g.input.data(),       g.input.data(), a.attended.data(),
                                         g.inner_input.data(), g.inner_input.data(), g.inner.data()};
  GradientTasks tasks;
  // Layers that read the same share its panels.
  std::map<const float*, ColumnPanels> panels;
  for (int i = 0; i < kLinears; ++i) {
    const TrainedLinear& linear = linears_[i];
    if (!linear.trained()) continue;
    auto found = panels.find(inputs[i]);
    if (found == panels.end()) {
      found = panels.emplace(inputs[i], MakeColumnPanels(inputs[i], tokens, linear.inputs(), options_.threads)).first;
    }
    TERSOR_RETURN_IF_ERROR(linear.Inner(inputs[i], tokens, g.term_inner[i].data()));
    linear.AddGradients({&found->second, g.of[i], tokens, g.term_inner[i].data(), g.term_gradient[i].data()},
                        options_.threads, tasks);
  }
  input_norm_.AddGradients(a.hidden.data(), g.normed_input.data(), tokens, tasks);
  inner_norm_.AddGradients(spec_.parallel ? a.hidden.data() : a.middle.data(), g.inner_normed.data(), tokens, tasks);
  after_attention_.AddGradients(a.attention_output.data(), g.middle.data(), tokens, tasks);
  after_mlp_.AddGradients(a.mlp_output.data(), gradient, tokens, tasks);
  query_norm_.AddGradients(a.raw_queries.data(), g.normed_queries.data(), tokens * spec_.attention.heads, tasks);
  key_norm_.AddGradients(a.raw_keys.data(), g.normed_keys.data(), tokens * spec_.attention.kv_heads, tasks);
  tasks.Run(options_.threads);
  return absl::OkStatus();
}

}  // namespace tersor
