#include "core/model/head.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/kernels/logit_reductions.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/model/packed_head.h"
#include "core/model/weights.h"

namespace tersor {
namespace {

// Rows whose statistics are gathered at once, and of these, rows whose logits of one chunk are in memory a thread.
constexpr int64_t kGroupRows = 1024;
constexpr int64_t kTileRows = 128;

absl::Status CheckRows(size_t hidden, int64_t rows, int64_t width) {
  if (rows >= 0 && hidden == static_cast<size_t>(rows * width)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(hidden, " hidden values are not ", rows, " rows of width ", width));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Head>> Head::Load(const Model& model, const ComputeOptions& options) {
  TERSOR_ASSIGN_OR_RETURN(std::unique_ptr<PackedHead> head, PackedHead::Create(model, options));
  return std::unique_ptr<Head>(std::move(head));
}

absl::StatusOr<std::unique_ptr<PackedHead>> PackedHead::Create(const Model& model, const ComputeOptions& options) {
  std::unique_ptr<PackedHead> head(new PackedHead);
  head->options_ = options;
  head->width_ = model.spec.width;
  head->vocabulary_ = model.spec.vocabulary;
  head->logit_cap_ = static_cast<float>(model.spec.logit_cap);
  TERSOR_ASSIGN_OR_RETURN(head->norm_,
                          Normalization::Load(model, absl::StripSuffix(kFinalNormName, ".weight"), head->width_));
  TERSOR_ASSIGN_OR_RETURN(const EncodedTensorPtr weight, model.Head());
  TERSOR_RETURN_IF_ERROR(
      CheckShape(model.spec.tied ? kEmbeddingName : kHeadName, *weight, head->vocabulary_, head->width_));
  for (int64_t first = 0; first < head->vocabulary_; first += kChunkIds) {
    const int64_t count = std::min(kChunkIds, head->vocabulary_ - first);
    TERSOR_ASSIGN_OR_RETURN(Linear chunk, Linear::Create({weight.get(), first, count}, {}, options));
    head->chunks_.push_back(std::move(chunk));
  }
  return head;
}

void PackedHead::Norm(const float* hidden, int64_t rows, float* normed) const { norm_.Apply(hidden, rows, normed); }

absl::Status PackedHead::CheckLogits(std::span<const float> hidden, int64_t rows, std::span<float> logits) const {
  TERSOR_RETURN_IF_ERROR(CheckRows(hidden.size(), rows, width_));
  if (logits.size() == static_cast<size_t>(rows * vocabulary_)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("room for ", logits.size(), " logits, not for ", rows, " rows"));
}

absl::Status PackedHead::Logits(std::span<const float> hidden, int64_t rows, std::span<float> logits) const {
  TERSOR_RETURN_IF_ERROR(CheckLogits(hidden, rows, logits));
  ScratchBuffer normed(rows * width_);
  Norm(hidden.data(), rows, normed.data());
  const int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  return ParallelFor(options_.threads, tiles * chunks(), [&](int64_t task) {
    const int64_t first = task / chunks() * kTileRows;
    const int64_t chunk = task % chunks();
    return ChunkLogits(normed.data() + first * width_, std::min(kTileRows, rows - first), chunk,
                       logits.data() + first * vocabulary_ + chunk * kChunkIds, vocabulary_);
  });
}

absl::Status PackedHead::RowLogits(std::span<const float> hidden, int64_t rows, std::span<float> logits) const {
  TERSOR_RETURN_IF_ERROR(CheckLogits(hidden, rows, logits));
  ScratchBuffer normed(rows * width_);
  Norm(hidden.data(), rows, normed.data());
  std::vector<RowProduct> products;
  for (int64_t chunk = 0; chunk < chunks(); ++chunk) {
    products.push_back(chunks_[chunk].Rows(normed.data(), rows, false, logits.data() + chunk * kChunkIds));
    products.back().rows.y_stride = vocabulary_;
  }
  TERSOR_RETURN_IF_ERROR(MultiplyRows(options_.threads, products));
  Cap(logits.data(), rows * vocabulary_);
  return absl::OkStatus();
}

void PackedHead::Cap(float* logits, int64_t count) const {
  if (logit_cap_ == 0) return;
  for (int64_t i = 0; i < count; ++i) logits[i] = logit_cap_ * std::tanh(logits[i] / logit_cap_);
}

absl::Status PackedHead::LogLikelihoods(std::span<const float> hidden, std::span<const int32_t> targets,
                                        std::span<double> log_likelihoods, std::span<int32_t> top1) const {
  const int64_t rows = static_cast<int64_t>(targets.size());
  TERSOR_RETURN_IF_ERROR(CheckRows(hidden.size(), rows, width_));
  if (log_likelihoods.size() != targets.size() || (!top1.empty() && top1.size() != targets.size())) {
    return absl::InvalidArgumentError("outputs of log-likelihoods are not as many as the targets");
  }
  for (const int32_t target : targets) {
    if (target >= 0 && target < vocabulary_) continue;
    return absl::OutOfRangeError(absl::StrCat("target ", target, " is outside the vocabulary of ", vocabulary_));
  }
  for (int64_t first = 0; first < rows; first += kGroupRows) {
    const int64_t count = std::min(kGroupRows, rows - first);
    TERSOR_RETURN_IF_ERROR(GroupLikelihoods(hidden.data() + first * width_, targets.subspan(first, count),
                                            log_likelihoods.subspan(first, count),
                                            top1.empty() ? top1 : top1.subspan(first, count)));
  }
  return absl::OkStatus();
}

absl::Status PackedHead::GroupLikelihoods(const float* hidden, std::span<const int32_t> targets,
                                          std::span<double> log_likelihoods, std::span<int32_t> top1) const {
  const int64_t rows = static_cast<int64_t>(targets.size());
  const int64_t tiles = (rows + kTileRows - 1) / kTileRows;
  ScratchBuffer normed(rows * width_);
  Norm(hidden, rows, normed.data());
  // Partial statistics of (row, chunk), put together in the order of chunks whoever computed them.
  std::vector<LogitStats> parts(rows * chunks());
  std::vector<float> target_logits(rows);
  TERSOR_RETURN_IF_ERROR(ParallelFor(options_.threads, tiles * chunks(), [&](int64_t task) {
    // Tiles of a chunk follow one another: its weights stay in the cache.
    const int64_t chunk = task / tiles;
    const int64_t first = task % tiles * kTileRows;
    const int64_t count = std::min(kTileRows, rows - first);
    const int64_t ids = chunks_[chunk].outputs();
    ScratchBuffer logits(count * ids);
    TERSOR_RETURN_IF_ERROR(ChunkLogits(normed.data() + first * width_, count, chunk, logits.data(), ids));
    for (int64_t row = 0; row < count; ++row) {
      const float* values = logits.data() + row * ids;
      parts[(first + row) * chunks() + chunk] = ReduceLogits(values, ids, chunk * kChunkIds);
      const int64_t target = targets[first + row] - chunk * kChunkIds;
      if (target >= 0 && target < ids) target_logits[first + row] = values[target];
    }
    return absl::OkStatus();
  }));
  for (int64_t row = 0; row < rows; ++row) {
    LogitStats whole;
    for (int64_t chunk = 0; chunk < chunks(); ++chunk) whole.Append(parts[row * chunks() + chunk]);
    log_likelihoods[row] = static_cast<double>(target_logits[row]) - whole.LogSumExp();
    if (!top1.empty()) top1[row] = static_cast<int32_t>(whole.argmax);
  }
  return absl::OkStatus();
}

absl::Status PackedHead::ChunkLogits(const float* normed, int64_t rows, int64_t chunk, float* logits,
                                     int64_t stride) const {
  TERSOR_RETURN_IF_ERROR(chunks_[chunk].Multiply(normed, width_, rows, false, logits, stride));
  if (logit_cap_ == 0) return absl::OkStatus();
  for (int64_t row = 0; row < rows; ++row) Cap(logits + row * stride, chunks_[chunk].outputs());
  return absl::OkStatus();
}

}  // namespace tersor
