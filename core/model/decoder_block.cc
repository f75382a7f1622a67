#include "core/model/decoder_block.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "core/kernels/activations.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/kernels/vector_ops.h"
#include "core/model/attention_tile.h"
#include "core/model/weights.h"

namespace tersor {
namespace {

// Rows computed at once by one thread: their activations stay in its second-level cache.
constexpr int64_t kTileRows = 256;
constexpr int64_t kSmallestTileRows = 16;

// Up to as many tokens, decoding the weights for a pass takes long beside multiplying by them.
constexpr int64_t kShortTokens = 128;

int64_t TileRows(int64_t tokens, int threads) {
  int64_t rows = kTileRows;
  while (rows > kSmallestTileRows && rows * threads > tokens) rows /= 2;
  return rows;
}

}  // namespace

struct DecoderBlock::Pass {
  struct Place {
    int64_t slot;
    int64_t position;
  };
  const PackedBatch* batch = nullptr;
  KvCache* cache = nullptr;
  int layer = 0;
  // Slot of each sequence, and position of its first row.
  std::vector<int64_t> slots;
  std::vector<int64_t> starts;
  std::vector<Place> places;
  // One table for all sequences, or one a sequence where it depends on the length; none without rope.
  std::vector<std::shared_ptr<const RopeTable>> ropes;

  const RopeTable* RopeOf(int64_t slot) const {
    return ropes.empty() ? nullptr : ropes[ropes.size() == 1 ? 0 : slot].get();
  }
  // Used where the batch brings no cache.
  std::unique_ptr<KvCache> own_cache;
};

absl::Status DecoderBlock::CheckBatch(const PackedBatch& batch, size_t hidden_size) const {
  const std::vector<int64_t>& offsets = batch.offsets;
  if (offsets.empty() || offsets.front() != 0 || !std::is_sorted(offsets.begin(), offsets.end())) {
    return absl::InvalidArgumentError("a batch's offsets must begin with 0 and never fall");
  }
  if (hidden_size != static_cast<size_t>(batch.tokens() * width_)) {
    return absl::InvalidArgumentError(absl::StrCat("block ", index_, ": ", hidden_size, " hidden values for ",
                                                   batch.tokens(), " tokens of width ", width_));
  }
  if (batch.cache == nullptr && !batch.slots.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("block ", index_, ": slots without a cache"));
  }
  if (!batch.shared.empty()) return CheckShared(batch);
  if (batch.cache == nullptr) return absl::OkStatus();
  const KvShape& shape = batch.cache->shape();
  if (shape.kv_heads != spec_.attention.kv_heads || shape.head_size != spec_.attention.head_size ||
      shape.format != kv_format_ || index_ >= shape.layers ||
      (batch.slots.empty() && batch.cache->slots() < batch.sequences())) {
    return absl::InvalidArgumentError(absl::StrCat("block ", index_, ": the cache does not fit the model or batch"));
  }
  std::vector<int64_t> slots = batch.slots;
  std::sort(slots.begin(), slots.end());
  if (!slots.empty() &&
      (static_cast<int64_t>(slots.size()) != batch.sequences() || slots.front() < 0 ||
       slots.back() >= batch.cache->slots() || std::adjacent_find(slots.begin(), slots.end()) != slots.end())) {
    return absl::InvalidArgumentError(absl::StrCat("block ", index_, ": slots must be one of the cache a sequence"));
  }
  return absl::OkStatus();
}

absl::Status DecoderBlock::CheckShared(const PackedBatch& batch) const {
  const auto bad = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("block ", index_, ": shared positions ", what));
  };
  if (batch.cache != nullptr) return bad("cannot be had together with a cache");
  if (static_cast<int64_t>(batch.shared.size()) != batch.sequences()) return bad("are not one a sequence");
  int64_t length = 0;
  for (int64_t i = 0; i < batch.sequences(); ++i) {
    if (batch.shared[i] < 0 || batch.shared[i] > length) {
      return bad(absl::StrCat("of sequence ", i, " are ", batch.shared[i], " of ", length));
    }
    length = batch.shared[i] + batch.offsets[i + 1] - batch.offsets[i];
  }
  return absl::OkStatus();
}

absl::StatusOr<DecoderBlock::Pass> DecoderBlock::Begin(const PackedBatch& batch) const {
  const AttentionSpec& attention = spec_.attention;
  Pass pass;
  pass.batch = &batch;
  pass.cache = batch.cache;
  pass.layer = batch.cache == nullptr ? 0 : index_;
  if (batch.cache == nullptr) {
    pass.own_cache = std::make_unique<KvCache>(KvShape{1, attention.kv_heads, attention.head_size, kv_format_});
    pass.cache = pass.own_cache.get();
  }
  pass.places.reserve(batch.tokens());
  int64_t longest = 1;
  for (int64_t i = 0; i < batch.sequences(); ++i) {
    const int64_t count = batch.offsets[i + 1] - batch.offsets[i];
    if (!batch.shared.empty() && batch.shared[i] > 0) {
      TERSOR_RETURN_IF_ERROR(pass.cache->AddSlotAfter(i - 1, batch.shared[i]).status());
    } else if (batch.cache == nullptr) {
      pass.cache->AddSlot();
    }
    const int64_t slot = batch.slots.empty() ? i : batch.slots[i];
    const int64_t start = pass.cache->length(slot);
    pass.cache->Reserve(slot, count);
    pass.slots.push_back(slot);
    pass.starts.push_back(start);
    for (int64_t j = 0; j < count; ++j) pass.places.push_back({slot, start + j});
    longest = std::max(longest, start + count);
    if (has_rope_ && spec_.rope.longrope) {
      pass.ropes.push_back(RopeTable::Get(spec_.rope, attention.head_size, start + count));
    }
  }
  if (has_rope_ && pass.ropes.empty()) {
    pass.ropes.push_back(RopeTable::Get(spec_.rope, attention.head_size, longest));
  }
  if (!positions_.empty() && longest * width_ > static_cast<int64_t>(positions_.size())) {
    return absl::OutOfRangeError(absl::StrCat("a sequence of ", longest, " tokens: the model has ",
                                              positions_.size() / width_, " learned positions"));
  }
  return pass;
}

bool DecoderBlock::DecodesInPieces(int64_t tokens) const {
  return tokens > 0 && tokens <= kShortTokens && std::all_of(parts_.begin(), parts_.end(), [](const Part& part) {
           return part.linear.outputs() == 0 || part.linear.encoded();
         });
}

template <typename Run>
absl::Status DecoderBlock::ForTiles(int64_t tokens, const Run& run) const {
  // The threads share each layer's outputs instead.
  if (DecodesInPieces(tokens)) return run(Tile{0, tokens});
  const int64_t rows = TileRows(tokens, options_.threads);
  return ParallelFor(options_.threads, (tokens + rows - 1) / rows, [&](int64_t i) {
    return run(Tile{i * rows, std::min(rows, tokens - i * rows)});
  });
}

absl::Status DecoderBlock::Multiply(LinearIndex linear, const float* x, int64_t rows, bool accumulate, float* y) const {
  const LinearLayer& layer = parts_[linear].layer;
  return parts_[linear].linear.Multiply(x, layer.inputs, rows, accumulate, y, layer.outputs);
}

absl::StatusOr<std::vector<std::shared_ptr<const void>>> DecoderBlock::Hold(int first, int end, int64_t tokens) const {
  std::vector<std::shared_ptr<const void>> held;
  if (DecodesInPieces(tokens)) return held;
  for (int i = first; i < end; ++i) {
    if (i == kGate && !spec_.gated) continue;
    TERSOR_ASSIGN_OR_RETURN(std::shared_ptr<const void> one, parts_[i].linear.Hold(options_.threads));
    held.push_back(std::move(one));
  }
  return held;
}

absl::Status DecoderBlock::AddOutput(LinearIndex linear, const float* x, int64_t rows, float* residual) const {
  const Normalization& after = linear == kDown ? after_mlp_ : after_attention_;
  if (after.width() == 0) return Multiply(linear, x, rows, true, residual);
  ScratchBuffer output(rows * width_);
  TERSOR_RETURN_IF_ERROR(Multiply(linear, x, rows, false, output.data()));
  after.Apply(output.data(), rows, output.data());
  for (int64_t i = 0; i < rows * width_; ++i) residual[i] += output.data()[i];
  return absl::OkStatus();
}

void DecoderBlock::AddPositions(const Pass& pass, Tile tile, float* hidden) const {
  if (positions_.empty()) return;
  for (int64_t row = 0; row < tile.count; ++row) {
    const float* position = positions_.data() + pass.places[tile.first + row].position * width_;
    for (int64_t i = 0; i < width_; ++i) hidden[row * width_ + i] += position[i];
  }
}

absl::Status DecoderBlock::FinishAttention(const float* attended, int64_t rows, float* residual, float* input) const {
  if (spec_.parallel) inner_norm_.Apply(residual, rows, input);
  TERSOR_RETURN_IF_ERROR(AddOutput(kOutput, attended, rows, residual));
  if (!spec_.parallel) inner_norm_.Apply(residual, rows, input);
  return absl::OkStatus();
}

void DecoderBlock::RotateRow(const RopeTable* rope, int64_t position, float* query, float* key) const {
  const AttentionSpec& a = spec_.attention;
  if (a.qk_norm) {
    query_norm_.Apply(query, a.heads, query);
    key_norm_.Apply(key, a.kv_heads, key);
  }
  if (rope == nullptr) return;
  const auto turn = [&](float* x, int64_t heads) {
    if (rope->turned() == a.head_size) {
      return ApplyRope(x, heads, a.head_size, rope->cosines(position), rope->sines(position));
    }
    for (int64_t head = 0; head < heads; ++head) {
      ApplyRope(x + head * a.head_size, 1, rope->turned(), rope->cosines(position), rope->sines(position));
    }
  };
  turn(query, a.heads);
  turn(key, a.kv_heads);
}

AttentionTile DecoderBlock::MakeTile(int64_t first_position, int64_t positions) const {
  return AttentionTileOf(spec_.attention, parts_[kQuery].layer.outputs, first_position, positions);
}

absl::Status DecoderBlock::QkvTile(const Pass& pass, Tile tile, const float* input, float* queries) const {
  const int64_t query_width = parts_[kQuery].layer.outputs;
  const int64_t key_width = parts_[kKey].layer.outputs;
  ScratchBuffer keys(tile.count * key_width), values(tile.count * key_width);
  TERSOR_RETURN_IF_ERROR(Multiply(kQuery, input, tile.count, false, queries));
  TERSOR_RETURN_IF_ERROR(Multiply(kKey, input, tile.count, false, keys.data()));
  TERSOR_RETURN_IF_ERROR(Multiply(kValue, input, tile.count, false, values.data()));
  for (int64_t row = 0; row < tile.count; ++row) {
    const auto [slot, position] = pass.places[tile.first + row];
    RotateRow(pass.RopeOf(slot), position, queries + row * query_width, keys.data() + row * key_width);
    pass.cache->Append(pass.layer, slot, position, keys.data() + row * key_width, values.data() + row * key_width);
  }
  return absl::OkStatus();
}

absl::Status DecoderBlock::AttendAll(const Pass& pass, const float* queries, float* attended) const {
  const AttentionSpec& a = spec_.attention;
  const int64_t group = a.heads / a.kv_heads;
  const int64_t query_width = parts_[kQuery].layer.outputs;
  const int64_t step = AttentionTilePositions(group);
  if (!pass.batch->shared.empty()) {
    TERSOR_RETURN_IF_ERROR(ParallelFor(options_.threads, a.kv_heads, [&](int64_t kv_head) {
      for (int64_t i = 0; i < pass.batch->sequences(); ++i) {
        pass.cache->FillShared(pass.layer, i, static_cast<int>(kv_head));
      }
      return absl::OkStatus();
    }));
  }
  for (int64_t i = 0; i < pass.batch->sequences(); ++i) {
    pass.cache->Seal(pass.layer, pass.slots[i], pass.starts[i] + pass.batch->offsets[i + 1] - pass.batch->offsets[i]);
  }
  struct Task {
    int64_t sequence, offset, count;
  };
  std::vector<Task> tasks;
  for (int64_t i = 0; i < pass.batch->sequences(); ++i) {
    const int64_t count = pass.batch->offsets[i + 1] - pass.batch->offsets[i];
    for (int64_t at = 0; at < count; at += step) tasks.push_back({i, at, std::min(step, count - at)});
  }
  return ParallelFor(options_.threads, static_cast<int64_t>(tasks.size()) * a.kv_heads, [&](int64_t t) {
    const Task& task = tasks[t / a.kv_heads];
    const int kv_head = static_cast<int>(t % a.kv_heads);
    const int64_t at = (pass.batch->offsets[task.sequence] + task.offset) * query_width + kv_head * group * a.head_size;
    AttentionTile tile = MakeTile(pass.starts[task.sequence] + task.offset, task.count);
    tile.queries = queries + at;
    tile.outputs = attended + at;
    pass.cache->Attend(pass.layer, pass.slots[task.sequence], kv_head, tile);
    return absl::OkStatus();
  });
}

absl::Status DecoderBlock::GateUpTile(int64_t rows, const float* input, float* inner) const {
  if (!spec_.gated) {
    TERSOR_RETURN_IF_ERROR(Multiply(kUp, input, rows, false, inner));
    Activate(spec_.activation, inner, rows * spec_.inner_width);
    return absl::OkStatus();
  }
  ScratchBuffer up(rows * spec_.inner_width);
  TERSOR_RETURN_IF_ERROR(Multiply(kGate, input, rows, false, inner));
  TERSOR_RETURN_IF_ERROR(Multiply(kUp, input, rows, false, up.data()));
  ActivateGated(spec_.activation, inner, up.data(), rows * spec_.inner_width);
  return absl::OkStatus();
}

absl::Status DecoderBlock::Enter(const PackedBatch& batch, std::span<const float> hidden,
                                 std::span<float> input) const {
  TERSOR_RETURN_IF_ERROR(CheckBatch(batch, hidden.size()));
  if (input.size() != hidden.size()) return absl::InvalidArgumentError("the input is not as large as the hidden");
  if (positions_.empty()) {
    return ForTiles(batch.tokens(), [&](Tile tile) {
      input_norm_.Apply(hidden.data() + tile.first * width_, tile.count, input.data() + tile.first * width_);
      return absl::OkStatus();
    });
  }
  TERSOR_ASSIGN_OR_RETURN(const Pass pass, Begin(batch));
  return ForTiles(batch.tokens(), [&](Tile tile) {
    float* rows = input.data() + tile.first * width_;
    std::copy_n(hidden.data() + tile.first * width_, tile.count * width_, rows);
    AddPositions(pass, tile, rows);
    input_norm_.Apply(rows, tile.count, rows);
    return absl::OkStatus();
  });
}

absl::Status DecoderBlock::RunSegment(int s, const PackedBatch& batch, std::span<const float> input,
                                      std::span<float> hidden, std::span<float> next) const {
  TERSOR_RETURN_IF_ERROR(CheckBatch(batch, hidden.size()));
  if (s < 0 || s >= kSegments) return absl::InvalidArgumentError(absl::StrCat("a block has no segment ", s));
  const int64_t tokens = batch.tokens();
  const int64_t in = segments_[s].input_width;
  const int64_t out = s == kDownSegment ? 0 : segments_[s + 1].input_width;
  if (input.size() != static_cast<size_t>(tokens * in) || next.size() != static_cast<size_t>(tokens * out)) {
    return absl::InvalidArgumentError(
        absl::StrCat("segment ", segments_[s].name, " needs inputs of width ", in, " and outputs of width ", out));
  }
  constexpr int kFirstOf[] = {kQuery, kOutput, kGate, kDown, kLinears};
  TERSOR_ASSIGN_OR_RETURN(const auto held, Hold(kFirstOf[s], kFirstOf[s + 1], tokens));
  if (s == kQkvSegment) {
    TERSOR_ASSIGN_OR_RETURN(const Pass pass, Begin(batch));
    ScratchBuffer queries(tokens * out);
    TERSOR_RETURN_IF_ERROR(ForTiles(tokens, [&](Tile tile) {
      return QkvTile(pass, tile, input.data() + tile.first * in, queries.data() + tile.first * out);
    }));
    return AttendAll(pass, queries.data(), next.data());
  }
  Pass pass;
  if (s == kOutSegment && !positions_.empty()) {
    TERSOR_ASSIGN_OR_RETURN(pass, Begin(batch));
  }
  return ForTiles(tokens, [&](Tile tile) {
    const float* x = input.data() + tile.first * in;
    float* y = next.data() + tile.first * out;
    float* residual = hidden.data() + tile.first * width_;
    if (s == kGateUpSegment) return GateUpTile(tile.count, x, y);
    if (s == kDownSegment) return AddOutput(kDown, x, tile.count, residual);
    AddPositions(pass, tile, residual);
    return FinishAttention(x, tile.count, residual, y);
  });
}

absl::Status DecoderBlock::Forward(const PackedBatch& batch, std::span<float> hidden) const {
  TERSOR_RETURN_IF_ERROR(CheckBatch(batch, hidden.size()));
  const int64_t tokens = batch.tokens();
  const int64_t query_width = parts_[kQuery].layer.outputs;
  TERSOR_ASSIGN_OR_RETURN(const auto held, Hold(0, kLinears, tokens));
  TERSOR_ASSIGN_OR_RETURN(const Pass pass, Begin(batch));
  ScratchBuffer queries(tokens * query_width), attended(tokens * query_width);
  TERSOR_RETURN_IF_ERROR(ForTiles(tokens, [&](Tile tile) {
    ScratchBuffer input(tile.count * width_);
    float* residual = hidden.data() + tile.first * width_;
    AddPositions(pass, tile, residual);
    input_norm_.Apply(residual, tile.count, input.data());
    return QkvTile(pass, tile, input.data(), queries.data() + tile.first * query_width);
  }));
  TERSOR_RETURN_IF_ERROR(AttendAll(pass, queries.data(), attended.data()));
  return ForTiles(tokens, [&](Tile tile) {
    float* residual = hidden.data() + tile.first * width_;
    ScratchBuffer input(tile.count * width_), inner(tile.count * spec_.inner_width);
    TERSOR_RETURN_IF_ERROR(
        FinishAttention(attended.data() + tile.first * query_width, tile.count, residual, input.data()));
    TERSOR_RETURN_IF_ERROR(GateUpTile(tile.count, input.data(), inner.data()));
    return AddOutput(kDown, inner.data(), tile.count, residual);
  });
}

}  // namespace tersor
