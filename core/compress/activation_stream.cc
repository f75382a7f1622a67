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

std::vector<float>& ActivationStream::OtherBuffer(int64_t width) {
  std::vector<float>& buffer = buffers_[1 - current_];
  const size_t values = static_cast<size_t>(tokens() * width);
  if (buffer.size() < values) {
    // Nothing is worth copying.
    buffer = {};
    buffer.resize(values);
  }
  return buffer;
}

absl::Status ActivationStream::Enter(const Block& block) {
  // Every block begins with the same buffer, so that each grows to what its segments need and no further.
  current_ = 1;
  const int64_t width = block.segments().front().input_width;
  std::vector<float>& inputs = OtherBuffer(width);
  for (const Chunk& chunk : chunks_) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation_));
    TERSOR_RETURN_IF_ERROR(block.Enter(chunk.batch, Part(hidden_, chunk, width_), Part(inputs, chunk, width)));
  }
  current_ = 0;
  input_width_ = width;
  return absl::OkStatus();
}

absl::Status ActivationStream::Run(const Block& block, int segment) {
  const bool last = segment + 1 == static_cast<int>(block.segments().size());
  const int64_t next_width = last ? 0 : block.segments()[segment + 1].input_width;
  std::vector<float>& inputs = buffers_[current_];
  std::vector<float>& next = OtherBuffer(next_width);
  for (const Chunk& chunk : chunks_) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(cancellation_));
    TERSOR_RETURN_IF_ERROR(block.RunSegment(segment, chunk.batch, Part(inputs, chunk, input_width_),
                                            Part(hidden_, chunk, width_), Part(next, chunk, next_width)));
  }
  current_ = 1 - current_;
  input_width_ = next_width;
  return absl::OkStatus();
}

int64_t ActivationStream::tokens() const {
  return chunks_.empty() ? 0 : chunks_.back().first_token + chunks_.back().batch.tokens();
}

ConstMatrixView ActivationStream::hidden() const { return {hidden_.data(), tokens(), width_}; }

ConstMatrixView ActivationStream::inputs() const { return {buffers_[current_].data(), tokens(), input_width_}; }

std::span<float> ActivationStream::Part(std::vector<float>& values, const Chunk& chunk, int64_t width) const {
  return std::span<float>(values).subspan(chunk.first_token * width, chunk.batch.tokens() * width);
}

}  // namespace tersor
