// Creation and the forward pass; trained_block_backward.cc has the other.
#include "core/train/trained_block.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/kernels/activations.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/kernels/vector_ops.h"
#include "core/model/attention_tile.h"
#include "core/train/trained_block_parts.h"

namespace tersor {

absl::StatusOr<std::unique_ptr<TrainedBlock>> TrainedBlock::Create(const ModelSpec& spec, int index,
                                                                   ParameterMap& parameters, const SourceOf& source_of,
                                                                   const ComputeOptions& options) {
  std::unique_ptr<TrainedBlock> block(new TrainedBlock(spec, index, options));
  constexpr absl::string_view kNames[kLinears] = {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                                  "self_attn.o_proj", "mlp.gate_proj",    "mlp.up_proj",
                                                  "mlp.down_proj"};
  for (int i = 0; i < kLinears; ++i) {
    if (i == kGate && !block->spec_.gated) continue;
    const std::string name = absl::StrCat("model.layers.", index, ".", kNames[i]);
    TERSOR_ASSIGN_OR_RETURN(TrainedLinearSource source, source_of(name));
    absl::StatusOr<TrainedLinear> linear = TrainedLinear::Create(std::move(source), options);
    if (!linear.ok()) return Annotate(linear.status(), name);
    block->linears_[i] = *std::move(linear);
  }
  TERSOR_RETURN_IF_ERROR(block->LoadNorms(spec, parameters));
  return block;
}

TrainedBlock::TrainedBlock(const ModelSpec& spec, int index, const ComputeOptions& options)
    : spec_(spec.layers[index]),
      index_(index),
      options_(options),
      width_(spec.width),
      query_width_(int64_t{spec_.attention.heads} * spec_.attention.head_size),
      key_width_(int64_t{spec_.attention.kv_heads} * spec_.attention.head_size),
      has_rope_(spec.positions == PositionKind::kRope) {}

absl::Status TrainedBlock::LoadNorms(const ModelSpec& spec, ParameterMap& parameters) {
  const bool sandwich = spec_.placement == NormPlacement::kSandwich;
  const auto load = [&](absl::string_view module, TrainedNorm& norm) -> absl::Status {
    TERSOR_ASSIGN_OR_RETURN(norm,
                            TrainedNorm::Create(spec, absl::StrCat("model.layers.", index_, ".", module), parameters));
    return absl::OkStatus();
  };
  TERSOR_RETURN_IF_ERROR(load("input_layernorm", input_norm_));
  TERSOR_RETURN_IF_ERROR(load(sandwich ? "pre_feedforward_layernorm" : "post_attention_layernorm", inner_norm_));
  if (sandwich) {
    TERSOR_RETURN_IF_ERROR(load("post_attention_layernorm", after_attention_));
    TERSOR_RETURN_IF_ERROR(load("post_feedforward_layernorm", after_mlp_));
  }
  if (!spec_.attention.qk_norm) return absl::OkStatus();
  TERSOR_RETURN_IF_ERROR(load("self_attn.q_norm", query_norm_));
  return load("self_attn.k_norm", key_norm_);
}

absl::Status TrainedBlock::Refresh() {
  for (TrainedNorm* norm : {&input_norm_, &inner_norm_, &query_norm_, &key_norm_, &after_attention_, &after_mlp_}) {
    norm->Refresh();
  }
  return ParallelFor(options_.threads, kLinears, [&](int64_t i) { return linears_[i].Refresh(options_); });
}

TrainedBlock::Layout TrainedBlock::LayOut(const PackedBatch& batch) const {
  Layout layout;
  layout.offsets = batch.offsets;
  int64_t longest = 1;
  for (int64_t i = 0; i < batch.sequences(); ++i) {
    const int64_t count = batch.offsets[i + 1] - batch.offsets[i];
    for (int64_t j = 0; j < count; ++j) layout.places.push_back({i, j});
    longest = std::max(longest, count);
    if (has_rope_ && spec_.rope.longrope) {
      layout.ropes.push_back(RopeTable::Get(spec_.rope, spec_.attention.head_size, count));
    }
  }
  if (has_rope_ && layout.ropes.empty()) {
    layout.ropes.push_back(RopeTable::Get(spec_.rope, spec_.attention.head_size, longest));
  }
  return layout;
}

absl::StatusOr<std::vector<std::shared_ptr<const void>>> TrainedBlock::Hold(TrainedLinear::Direction direction) {
  std::vector<std::shared_ptr<const void>> held(kLinears);
  // Trained weights are packed side by side; a frozen one's kernel shares its own work among the threads.
  const int threads = linears_[kQuery].weight_trained() ? options_.threads : 1;
  TERSOR_RETURN_IF_ERROR(ParallelFor(threads, kLinears, [&](int64_t i) -> absl::Status {
    if (linears_[i].outputs() == 0) return absl::OkStatus();
    TERSOR_ASSIGN_OR_RETURN(held[i], linears_[i].Hold(direction, options_));
    return absl::OkStatus();
  }));
  return held;
}

void TrainedBlock::Resize(int64_t tokens, BlockActivations& a) const {
  a.hidden.resize(tokens * width_);
  a.middle.resize(tokens * width_);
  a.raw_queries.resize(spec_.attention.qk_norm ? tokens * query_width_ : 0);
  a.raw_keys.resize(spec_.attention.qk_norm ? tokens * key_width_ : 0);
  a.queries.resize(tokens * query_width_);
  a.attended.resize(tokens * query_width_);
  a.keys.resize(tokens * key_width_);
  a.values.resize(tokens * key_width_);
  a.log_sums.resize(tokens * spec_.attention.heads);
  a.attention_output.resize(is_sandwich() ? tokens * width_ : 0);
  a.mlp_output.resize(is_sandwich() ? tokens * width_ : 0);
  a.gate.resize(spec_.gated ? tokens * spec_.inner_width : 0);
  a.up.resize(tokens * spec_.inner_width);
}

absl::Status TrainedBlock::Forward(const PackedBatch& batch, std::span<float> hidden, BlockActivations& activations) {
  const int64_t tokens = batch.tokens();
  if (hidden.size() != static_cast<size_t>(tokens * width_)) {
    return absl::InvalidArgumentError(absl::StrCat("block ", index_, ": ", hidden.size(), " hidden values for ", tokens,
                                                   " tokens of width ", width_));
  }
  Resize(tokens, activations);
  std::copy(hidden.begin(), hidden.end(), activations.hidden.begin());
  TERSOR_ASSIGN_OR_RETURN(const auto held, Hold(TrainedLinear::Direction::kForward));
  const Layout layout = LayOut(batch);
  TERSOR_RETURN_IF_ERROR(ForTiles(tokens, [&](Tile tile) { return ForwardQkv(layout, tile, activations); }));
  TERSOR_RETURN_IF_ERROR(Attend(layout, activations));
  return ForTiles(tokens,
                  [&](Tile tile) { return ForwardMlp(tile, activations, hidden.data() + tile.first * width_); });
}

void TrainedBlock::Rotate(const RopeTable* rope, int64_t position, float direction, float* x, int heads) const {
  if (rope == nullptr) return;
  const int64_t half = rope->turned() / 2;
  ScratchBuffer sines(half);
  for (int64_t i = 0; i < half; ++i) sines.data()[i] = direction * rope->sines(position)[i];
  for (int head = 0; head < heads; ++head, x += spec_.attention.head_size) {
    ApplyRope(x, 1, rope->turned(), rope->cosines(position), sines.data());
  }
}

absl::Status TrainedBlock::ForwardQkv(const Layout& layout, Tile tile, BlockActivations& a) const {
  const AttentionSpec& spec = spec_.attention;
  ScratchBuffer input(tile.count * width_);
  input_norm_.Forward(a.hidden.data() + tile.first * width_, tile.count, input.data());
  float* const queries = a.queries.data() + tile.first * query_width_;
  float* const keys = a.keys.data() + tile.first * key_width_;
  TERSOR_RETURN_IF_ERROR(linears_[kQuery].Forward(input.data(), tile.count, false, queries));
  TERSOR_RETURN_IF_ERROR(linears_[kKey].Forward(input.data(), tile.count, false, keys));
  TERSOR_RETURN_IF_ERROR(
      linears_[kValue].Forward(input.data(), tile.count, false, a.values.data() + tile.first * key_width_));
  if (spec.qk_norm) {
    std::copy_n(queries, tile.count * query_width_, a.raw_queries.data() + tile.first * query_width_);
    std::copy_n(keys, tile.count * key_width_, a.raw_keys.data() + tile.first * key_width_);
    query_norm_.Forward(queries, tile.count * spec.heads, queries);
    key_norm_.Forward(keys, tile.count * spec.kv_heads, keys);
  }
  for (int64_t row = 0; row < tile.count; ++row) {
    const auto [sequence, position] = layout.places[tile.first + row];
    Rotate(layout.RopeOf(sequence), position, 1, queries + row * query_width_, spec.heads);
    Rotate(layout.RopeOf(sequence), position, 1, keys + row * key_width_, spec.kv_heads);
  }
  return absl::OkStatus();
}

AttentionTile TrainedBlock::MakeTile(int64_t first_position, int64_t positions) const {
  AttentionTile tile = AttentionTileOf(spec_.attention, query_width_, first_position, positions);
  tile.log_sum_stride = spec_.attention.heads;
  return tile;
}

absl::Status TrainedBlock::Attend(const Layout& layout, BlockActivations& a) const {
  const AttentionSpec& spec = spec_.attention;
  const int64_t group = spec.heads / spec.kv_heads, step = AttentionTilePositions(group);
  const int64_t sequences = static_cast<int64_t>(layout.offsets.size()) - 1;
  return ParallelFor(options_.threads, sequences * spec.kv_heads, [&](int64_t task) {
    const int64_t sequence = task / spec.kv_heads, head = task % spec.kv_heads;
    const int64_t first = layout.offsets[sequence], count = layout.offsets[sequence + 1] - first;
    const int64_t key_at = first * key_width_ + head * spec.head_size;
    const KeyValueBlocks blocks(a.keys.data() + key_at, a.values.data() + key_at, key_width_, count, spec.head_size);
    for (int64_t at = 0; at < count; at += step) {
      const int64_t row = first + at, query_at = row * query_width_ + head * group * spec.head_size;
      AttentionTile tile = MakeTile(at, std::min(step, count - at));
      tile.queries = a.queries.data() + query_at;
      tile.outputs = a.attended.data() + query_at;
      tile.log_sums = a.log_sums.data() + row * spec.heads + head * group;
      tile.blocks = blocks.blocks();
      tersor::Attend(tile);
    }
    return absl::OkStatus();
  });
}

absl::Status TrainedBlock::AddOutput(LinearIndex linear, const TrainedNorm& after, const float* x, int64_t rows,
                                     float* output, float* residual) const {
  if (after.width() == 0) return linears_[linear].Forward(x, rows, true, residual);
  TERSOR_RETURN_IF_ERROR(linears_[linear].Forward(x, rows, false, output));
  ScratchBuffer normed(rows * width_);
  after.Forward(output, rows, normed.data());
  for (int64_t i = 0; i < rows * width_; ++i) residual[i] += normed.data()[i];
  return absl::OkStatus();
}

absl::Status TrainedBlock::ForwardMlp(Tile tile, BlockActivations& a, float* hidden) const {
  const int64_t at = tile.first * width_, inner_at = tile.first * spec_.inner_width;
  const int64_t inner_count = tile.count * spec_.inner_width;
  ScratchBuffer input(tile.count * width_), inner(inner_count);
  if (spec_.parallel) inner_norm_.Forward(hidden, tile.count, input.data());
  TERSOR_RETURN_IF_ERROR(AddOutput(kOutput, after_attention_, a.attended.data() + tile.first * query_width_, tile.count,
                                   a.attention_output.data() + at, hidden));
  std::copy_n(hidden, tile.count * width_, a.middle.data() + at);
  if (!spec_.parallel) inner_norm_.Forward(hidden, tile.count, input.data());
  TERSOR_RETURN_IF_ERROR(linears_[kUp].Forward(input.data(), tile.count, false, a.up.data() + inner_at));
  if (spec_.gated) {
    TERSOR_RETURN_IF_ERROR(linears_[kGate].Forward(input.data(), tile.count, false, a.gate.data() + inner_at));
    std::copy_n(a.gate.data() + inner_at, inner_count, inner.data());
    ActivateGated(spec_.activation, inner.data(), a.up.data() + inner_at, inner_count);
  } else {
    std::copy_n(a.up.data() + inner_at, inner_count, inner.data());
    Activate(spec_.activation, inner.data(), inner_count);
  }
  return AddOutput(kDown, after_mlp_, inner.data(), tile.count, a.mlp_output.data() + at, hidden);
}

}  // namespace tersor
