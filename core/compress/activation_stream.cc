#include "core/compress/activation_stream.h"

#include <utility>

#include "core/model/head.h"

namespace tersor {
namespace {

// Tokens that go through a segment together, unless one sequence alone has more.
constexpr int64_t kChunkTokens = 1024;

}  // namespace

ActivationStream::ActivationStream(const std::vector<int64_t>& offsets, int64_t width,
                                   const CancellationToken* cancellation)
    : width_(width), cancellation_(cancellation) {
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    const int64_t length = offsets[i + 1] - offsets[i];
    if (chunks_.empty() || chunks_.back().batch.tokens() + length > kChunkTokens) {
      chunks_.push_back({offsets[i], PackedBatch{{0}}});
    }
    chunks_.back().batch.offsets.push_back(offsets[i + 1] - chunks_.back().first_token);
  }
}

absl::Status ActivationStream::Embed(const Model& model, const std::vector<int32_t>& ids) {
  hidden_.resize(ids.size() * width_);
  return tersor::Embed(model, ids, hidden_);
}

absl::Status ActivationStream::Enter(const Block& block) {
  input_width_ = block.segments().front().input_width;
  inputs_.resize(tokens() * input_width_);
  for (const Chunk& chunk : chunks_) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation_));
    TERSOR_RETURN_IF_ERROR(block.Enter(chunk.batch, Part(hidden_, chunk, width_), Part(inputs_, chunk, input_width_)));
  }
  return absl::OkStatus();
}

absl::Status ActivationStream::Run(const Block& block, int segment) {
  const bool last = segment + 1 == static_cast<int>(block.segments().size());
  const int64_t next_width = last ? 0 : block.segments()[segment + 1].input_width;
  std::vector<float> next(tokens() * next_width);
  for (const Chunk& chunk : chunks_) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation_));
    TERSOR_RETURN_IF_ERROR(block.RunSegment(segment, chunk.batch, Part(inputs_, chunk, input_width_),
                                            Part(hidden_, chunk, width_), Part(next, chunk, next_width)));
  }
  inputs_ = std::move(next);
  input_width_ = next_width;
  return absl::OkStatus();
}

int64_t ActivationStream::tokens() const {
  return chunks_.empty() ? 0 : chunks_.back().first_token + chunks_.back().batch.tokens();
}

ConstMatrixView ActivationStream::hidden() const { return {hidden_.data(), tokens(), width_}; }

ConstMatrixView ActivationStream::inputs() const { return {inputs_.data(), tokens(), input_width_}; }

std::span<float> ActivationStream::Part(std::vector<float>& values, const Chunk& chunk, int64_t width) const {
  return std::span<float>(values).subspan(chunk.first_token * width, chunk.batch.tokens() * width);
}

}  // namespace tersor
