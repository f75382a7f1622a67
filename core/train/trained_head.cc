#include "core/train/trained_head.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/kernels/gradient_product.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"
#include "core/model/model.h"

namespace tersor {
namespace {

// Ids whose weights are packed together: the forward product's as Head has them, so that logits have the bits of
// scoring, and more for the backward one.
constexpr int64_t kChunkIds = 512;
constexpr int64_t kBackwardIds = 4096;
// Rows whose logits are in memory at a time, and how many of them a thread takes at once.
constexpr int64_t kRows = 256;
constexpr int64_t kTileRows = 64;

int64_t Chunks(int64_t ids, int64_t chunk) { return (ids + chunk - 1) / chunk; }

}  // namespace

// Some of the loss's rows, gathered.
struct TrainedHead::Rows {
  int64_t count = 0;
  const float* normed = nullptr;
};

absl::StatusOr<std::unique_ptr<TrainedHead>> TrainedHead::Create(const ModelSpec& spec, ParameterMap& parameters,
                                                                 TrainedLinearSource source,
                                                                 const ComputeOptions& options) {
  auto head = std::make_unique<TrainedHead>();
  head->options_ = options;
  head->width_ = spec.width;
  head->vocabulary_ = spec.vocabulary;
  head->logit_cap_ = static_cast<float>(spec.logit_cap);
  head->source_ = std::move(source);
  TERSOR_ASSIGN_OR_RETURN(head->norm_,
                          TrainedNorm::Create(spec, absl::StripSuffix(kFinalNormName, ".weight"), parameters));
  const TrainedLinearSource& s = head->source_;
  const int64_t vocabulary = head->vocabulary_, width = head->width_;
  head->transposed_chunks_.resize(Chunks(vocabulary, kBackwardIds));
  if (s.weight != nullptr) {
    head->trained_chunks_.resize(Chunks(vocabulary, kChunkIds));
    TERSOR_RETURN_IF_ERROR(head->Refresh());
    return head;
  }
  for (int64_t first = 0; first < vocabulary; first += kChunkIds) {
    const int64_t count = std::min(kChunkIds, vocabulary - first);
    TERSOR_ASSIGN_OR_RETURN(Linear chunk, Linear::Create({s.frozen.get(), first, count}, {}, options));
    head->frozen_chunks_.push_back(std::move(chunk));
  }
  for (int64_t first = 0; first < vocabulary; first += kBackwardIds) {
    const int64_t count = std::min(kBackwardIds, vocabulary - first);
    ScratchBuffer rows(count * width);
    s.frozen->DecodeRows(first, count, rows.data());
    TERSOR_ASSIGN_OR_RETURN(head->transposed_chunks_[first / kBackwardIds],
                            PackedMatrix::PackTransposed(rows.span(), count, width, options.precision));
  }
  return head;
}

absl::Status TrainedHead::Refresh() {
  norm_.Refresh();
  if (source_.weight == nullptr) return absl::OkStatus();
  const std::span<const float> values = source_.weight->values;
  const auto rows = [&](int64_t first, int64_t count) { return values.subspan(first * width_, count * width_); };
  const int64_t forward = static_cast<int64_t>(trained_chunks_.size());
  const int64_t backward = static_cast<int64_t>(transposed_chunks_.size());
  return ParallelFor(options_.threads, forward + backward, [&](int64_t task) -> absl::Status {
    if (task < forward) {
      const int64_t first = task * kChunkIds, count = std::min(kChunkIds, vocabulary_ - first);
      TERSOR_ASSIGN_OR_RETURN(trained_chunks_[task],
                              PackedMatrix::Pack(rows(first, count), count, width_, options_.precision));
      return absl::OkStatus();
    }
    const int64_t first = (task - forward) * kBackwardIds, count = std::min(kBackwardIds, vocabulary_ - first);
    TERSOR_ASSIGN_OR_RETURN(transposed_chunks_[task - forward],
                            PackedMatrix::PackTransposed(rows(first, count), count, width_, options_.precision));
    return absl::OkStatus();
  });
}

absl::StatusOr<double> TrainedHead::Run(std::span<const float> hidden, std::span<const int64_t> rows, float scale,
                                        RowLoss& loss, std::span<float> gradient) const {
  double sum = 0;
  std::fill(gradient.begin(), gradient.end(), 0.0f);
  const int64_t most = std::min<int64_t>(kRows, static_cast<int64_t>(rows.size()));
  ScratchBuffer gathered(most * width_), normed(most * width_), normed_gradient(most * width_);
  ScratchBuffer logits(most * vocabulary_);
  std::vector<double> losses(most);
  for (size_t first = 0; first < rows.size(); first += kRows) {
    const std::span<const int64_t> part = rows.subspan(first, std::min<size_t>(kRows, rows.size() - first));
    const Rows chunk = {static_cast<int64_t>(part.size()), normed.data()};
    for (int64_t i = 0; i < chunk.count; ++i) {
      std::copy_n(hidden.data() + part[i] * width_, width_, gathered.data() + i * width_);
    }
    norm_.Forward(gathered.data(), chunk.count, normed.data());
    TERSOR_RETURN_IF_ERROR(Logits(chunk, logits.data()));
    TERSOR_RETURN_IF_ERROR(loss.Prepare(part));
    RunLosses(chunk.count, scale, loss, logits.data(), losses.data());
    for (int64_t i = 0; i < chunk.count; ++i) sum += losses[i];
    if (gradient.empty()) continue;
    TERSOR_RETURN_IF_ERROR(BackwardRows(chunk, logits.data(), normed_gradient.data()));
    AddWeightGradients(chunk, logits.data());
    GradientTasks tasks;
    norm_.AddGradients(gathered.data(), normed_gradient.data(), chunk.count, tasks);
    tasks.Run(options_.threads);
    norm_.Backward(gathered.data(), normed_gradient.data(), chunk.count, false, normed_gradient.data());
    for (int64_t i = 0; i < chunk.count; ++i) {
      std::copy_n(normed_gradient.data() + i * width_, width_, gradient.data() + part[i] * width_);
    }
  }
  return sum;
}

absl::Status TrainedHead::Logits(const Rows& rows, float* logits) const {
  const int64_t chunks = Chunks(vocabulary_, kChunkIds), tiles = Chunks(rows.count, kTileRows);
  return ParallelFor(options_.threads, chunks * tiles, [&](int64_t task) {
    // Tiles of a chunk follow one another: its weights stay in the cache.
    const int64_t chunk = task / tiles, first = task % tiles * kTileRows;
    const int64_t count = std::min(kTileRows, rows.count - first);
    const float* x = rows.normed + first * width_;
    float* y = logits + first * vocabulary_ + chunk * kChunkIds;
    if (source_.weight == nullptr) return frozen_chunks_[chunk].Multiply(x, width_, count, false, y, vocabulary_);
    return trained_chunks_[chunk].Multiply(x, width_, count, nullptr, false, y, vocabulary_);
  });
}

void TrainedHead::RunLosses(int64_t count, float scale, const RowLoss& loss, float* logits, double* losses) const {
  RunTasks(options_.threads, count, [&](int64_t i) {
    const std::span<float> row(logits + i * vocabulary_, vocabulary_);
    if (logit_cap_ == 0) {
      losses[i] = loss.Run(i, scale, row);
      return;
    }
    ScratchBuffer capped(vocabulary_);
    for (int64_t id = 0; id < vocabulary_; ++id) {
      capped.data()[id] = std::tanh(row[id] / logit_cap_);
      row[id] = logit_cap_ * capped.data()[id];
    }
    losses[i] = loss.Run(i, scale, row);
    for (int64_t id = 0; id < vocabulary_; ++id) row[id] *= 1 - capped.data()[id] * capped.data()[id];
  });
}

absl::Status TrainedHead::BackwardRows(const Rows& rows, const float* logits, float* normed_gradient) const {
  const int64_t tiles = Chunks(rows.count, kTileRows);
  return ParallelFor(options_.threads, tiles, [&](int64_t tile) -> absl::Status {
    const int64_t first = tile * kTileRows, count = std::min(kTileRows, rows.count - first);
    for (size_t chunk = 0; chunk < transposed_chunks_.size(); ++chunk) {
      TERSOR_RETURN_IF_ERROR(transposed_chunks_[chunk].Multiply(
          logits + first * vocabulary_ + static_cast<int64_t>(chunk) * kBackwardIds, vocabulary_, count, nullptr,
          chunk > 0, normed_gradient + first * width_, width_));
    }
    return absl::OkStatus();
  });
}

void TrainedHead::AddWeightGradients(const Rows& rows, const float* logits) const {
  if (source_.weight == nullptr) return;
  const ColumnPanels left = MakeColumnPanels(logits, rows.count, vocabulary_, options_.threads);
  const ColumnPanels right = MakeColumnPanels(rows.normed, rows.count, width_, options_.threads);
  RunTasks(options_.threads, left.panels(), [&](int64_t panel) {
    AddGradientPanel(left, vocabulary_, panel, right, width_, source_.weight->gradient.data());
  });
}

}  // namespace tersor
