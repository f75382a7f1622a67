#include "core/model/decoder_block.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/kernels/vector_ops.h"
#include "core/model/weights.h"

namespace tersor {
namespace {

// Rows computed at once by one thread: their activations stay in its second-level cache.
constexpr int64_t kTileRows = 128;
constexpr int64_t kSmallestTileRows = 16;

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
  // Position of each sequence's first row.
  std::vector<int64_t> starts;
  std::vector<Place> places;
  std::shared_ptr<const RopeTable> rope;
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
  if (batch.cache == nullptr) return absl::OkStatus();
  const KvShape& shape = batch.cache->shape();
  if (shape.kv_heads != spec_.attention.kv_heads || shape.head_size != spec_.attention.head_size ||
      shape.format != kv_format_ || index_ >= shape.layers || batch.cache->slots() < batch.sequences()) {
    return absl::InvalidArgumentError(absl::StrCat("block ", index_, ": the cache does not fit the model or batch"));
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
    for (int64_t i = 0; i < batch.sequences(); ++i) pass.cache->AddSlot();
  }
  pass.places.reserve(batch.tokens());
  int64_t longest = 1;
  for (int64_t i = 0; i < batch.sequences(); ++i) {
    const int64_t count = batch.offsets[i + 1] - batch.offsets[i];
    const int64_t start = pass.cache->length(i);
    pass.cache->Reserve(i, count);
    pass.starts.push_back(start);
    for (int64_t j = 0; j < count; ++j) pass.places.push_back({i, start + j});
    longest = std::max(longest, start + count);
  }
  pass.rope = RopeTable::Get(spec_.rope, attention.head_size, longest);
  return pass;
}

template <typename Run>
absl::Status DecoderBlock::ForTiles(int64_t tokens, const Run& run) const {
  const int64_t rows = TileRows(tokens, options_.threads);
  return ParallelFor(options_.threads, (tokens + rows - 1) / rows, [&](int64_t i) {
    return run(Tile{i * rows, std::min(rows, tokens - i * rows)});
  });
}

absl::Status DecoderBlock::Multiply(LinearIndex linear, const float* x, int64_t rows, bool accumulate, float* y) const {
  const LinearLayer& layer = parts_[linear].layer;
  return parts_[linear].linear.Multiply(x, layer.inputs, rows, accumulate, y, layer.outputs);
}

absl::StatusOr<std::vector<std::shared_ptr<const void>>> DecoderBlock::Hold(int first, int end) const {
  std::vector<std::shared_ptr<const void>> held;
  for (int i = first; i < end; ++i) {
    TERSOR_ASSIGN_OR_RETURN(std::shared_ptr<const void> one, parts_[i].linear.Hold(options_.threads));
    held.push_back(std::move(one));
  }
  return held;
}

void DecoderBlock::Norm(const std::vector<float>& weight, const float* x, int64_t rows, float* y) const {
  RmsNorm(x, width_, rows, width_, weight.data(), epsilon_, y, width_);
}

void DecoderBlock::RotateRow(const RopeTable& rope, int64_t position, float* query, float* key) const {
  const AttentionSpec& a = spec_.attention;
  if (a.qk_norm) {
    RmsNorm(query, a.head_size, a.heads, a.head_size, query_norm_.data(), epsilon_, query, a.head_size);
    RmsNorm(key, a.head_size, a.kv_heads, a.head_size, key_norm_.data(), epsilon_, key, a.head_size);
  }
  ApplyRope(query, a.heads, a.head_size, rope.cosines(position), rope.sines(position));
  ApplyRope(key, a.kv_heads, a.head_size, rope.cosines(position), rope.sines(position));
}

AttentionTile DecoderBlock::MakeTile(int64_t first_position, int64_t positions) const {
  const AttentionSpec& a = spec_.attention;
  AttentionTile tile;
  tile.head_size = a.head_size;
  tile.group = a.heads / a.kv_heads;
  tile.window = a.sliding_window;
  tile.scale = 1.0f / std::sqrt(static_cast<float>(a.head_size));
  tile.first_position = first_position;
  tile.positions = positions;
  tile.query_stride = tile.output_stride = parts_[kQuery].layer.outputs;
  return tile;
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
    RotateRow(*pass.rope, position, queries + row * query_width, keys.data() + row * key_width);
    pass.cache->Append(pass.layer, slot, position, keys.data() + row * key_width, values.data() + row * key_width);
  }
  return absl::OkStatus();
}

absl::Status DecoderBlock::AttendAll(const Pass& pass, const float* queries, float* attended) const {
  const AttentionSpec& a = spec_.attention;
  const int64_t group = a.heads / a.kv_heads;
  const int64_t query_width = parts_[kQuery].layer.outputs;
  const int64_t step = AttentionTilePositions(group);
  for (int64_t i = 0; i < pass.batch->sequences(); ++i) {
    pass.cache->Seal(pass.layer, i, pass.starts[i] + pass.batch->offsets[i + 1] - pass.batch->offsets[i]);
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
    pass.cache->Attend(pass.layer, task.sequence, kv_head, tile);
    return absl::OkStatus();
  });
}

absl::Status DecoderBlock::GateUpTile(int64_t rows, const float* input, float* inner) const {
  ScratchBuffer up(rows * spec_.inner_width);
  TERSOR_RETURN_IF_ERROR(Multiply(kGate, input, rows, false, inner));
  TERSOR_RETURN_IF_ERROR(Multiply(kUp, input, rows, false, up.data()));
  SwiGlu(inner, up.data(), up.size());
  return absl::OkStatus();
}

absl::Status DecoderBlock::Enter(const PackedBatch& batch, std::span<const float> hidden,
                                 std::span<float> input) const {
  TERSOR_RETURN_IF_ERROR(CheckBatch(batch, hidden.size()));
  if (input.size() != hidden.size()) return absl::InvalidArgumentError("the input is not as large as the hidden");
  return ForTiles(batch.tokens(), [&](Tile tile) {
    Norm(input_norm_, hidden.data() + tile.first * width_, tile.count, input.data() + tile.first * width_);
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
  TERSOR_ASSIGN_OR_RETURN(const auto held, Hold(kFirstOf[s], kFirstOf[s + 1]));
  if (s == kQkvSegment) {
    TERSOR_ASSIGN_OR_RETURN(const Pass pass, Begin(batch));
    ScratchBuffer queries(tokens * out);
    TERSOR_RETURN_IF_ERROR(ForTiles(tokens, [&](Tile tile) {
      return QkvTile(pass, tile, input.data() + tile.first * in, queries.data() + tile.first * out);
    }));
    return AttendAll(pass, queries.data(), next.data());
  }
  return ForTiles(tokens, [&](Tile tile) {
    const float* x = input.data() + tile.first * in;
    float* y = next.data() + tile.first * out;
    float* residual = hidden.data() + tile.first * width_;
    if (s == kGateUpSegment) return GateUpTile(tile.count, x, y);
    if (s == kDownSegment) return Multiply(kDown, x, tile.count, true, residual);
    TERSOR_RETURN_IF_ERROR(Multiply(kOutput, x, tile.count, true, residual));
    Norm(inner_norm_, residual, tile.count, y);
    return absl::OkStatus();
  });
}

absl::Status DecoderBlock::Forward(const PackedBatch& batch, std::span<float> hidden) const {
  TERSOR_RETURN_IF_ERROR(CheckBatch(batch, hidden.size()));
  const int64_t tokens = batch.tokens();
  const int64_t query_width = parts_[kQuery].layer.outputs;
  TERSOR_ASSIGN_OR_RETURN(const auto held, Hold(0, kLinears));
  TERSOR_ASSIGN_OR_RETURN(const Pass pass, Begin(batch));
  ScratchBuffer queries(tokens * query_width), attended(tokens * query_width);
  TERSOR_RETURN_IF_ERROR(ForTiles(tokens, [&](Tile tile) {
    ScratchBuffer input(tile.count * width_);
    Norm(input_norm_, hidden.data() + tile.first * width_, tile.count, input.data());
    return QkvTile(pass, tile, input.data(), queries.data() + tile.first * query_width);
  }));
  TERSOR_RETURN_IF_ERROR(AttendAll(pass, queries.data(), attended.data()));
  return ForTiles(tokens, [&](Tile tile) {
    float* residual = hidden.data() + tile.first * width_;
    ScratchBuffer input(tile.count * width_), inner(tile.count * spec_.inner_width);
    TERSOR_RETURN_IF_ERROR(Multiply(kOutput, attended.data() + tile.first * query_width, tile.count, true, residual));
    Norm(inner_norm_, residual, tile.count, input.data());
    TERSOR_RETURN_IF_ERROR(GateUpTile(tile.count, input.data(), inner.data()));
    return Multiply(kDown, inner.data(), tile.count, true, residual);
  });
}

}  // namespace tersor
