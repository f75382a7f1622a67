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
  if (s.weight != nullptr) return head;
  head->transposed_chunks_.resize(Chunks(vocabulary, kBackwardIds));
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

absl::StatusOr<PackedMatrix> TrainedHead::PackTrained(int64_t first, int64_t count, bool transposed) const {
  const std::span<const float> rows = std::span(source_.weight->values).subspan(first * width_, count * width_);
  const auto pack = transposed ? PackedMatrix::PackTransposed : PackedMatrix::Pack;
  return pack(rows, count, width_, options_.precision, /*lasting=*/false);
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
  const int64_t chunks = Chunks(vocabulary_, kChunkIds);
  return ParallelFor(options_.threads, chunks, [&](int64_t chunk) -> absl::Status {
    const int64_t first = chunk * kChunkIds, count = std::min(kChunkIds, vocabulary_ - first);
    if (source_.weight == nullptr) {
      return frozen_chunks_[chunk].Multiply(rows.normed, width_, rows.count, false, logits + first, vocabulary_);
    }
    // Packed weights of a chunk stay in the cache for the rows: no copy of all lies beside the weights.
    TERSOR_ASSIGN_OR_RETURN(const PackedMatrix packed, PackTrained(first, count, /*transposed=*/false));
    return packed.Multiply(rows.normed, width_, rows.count, nullptr, false, logits + first, vocabulary_);
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
  const int64_t tiles = Chunks(rows.count, kTileRows), chunks = Chunks(vocabulary_, kBackwardIds);
  // As many chunks at a time as threads pack.
  for (int64_t first = 0; first < chunks; first += options_.threads) {
    const int64_t count = std::min<int64_t>(options_.threads, chunks - first);
    std::vector<PackedMatrix> packed(source_.weight == nullptr ? 0 : count);
    TERSOR_RETURN_IF_ERROR(
        ParallelFor(options_.threads, static_cast<int64_t>(packed.size()), [&](int64_t i) -> absl::Status {
          const int64_t id = (first + i) * kBackwardIds;
          TERSOR_ASSIGN_OR_RETURN(packed[i],
                                  PackTrained(id, std::min(kBackwardIds, vocabulary_ - id), /*transposed=*/true));
          return absl::OkStatus();
        }));
    TERSOR_RETURN_IF_ERROR(ParallelFor(options_.threads, tiles, [&](int64_t tile) -> absl::Status {
      const int64_t row = tile * kTileRows, tile_rows = std::min(kTileRows, rows.count - row);
      for (int64_t i = 0; i < count; ++i) {
        const PackedMatrix& matrix = packed.empty() ? transposed_chunks_[first + i] : packed[i];
        TERSOR_RETURN_IF_ERROR(matrix.Multiply(logits + row * vocabulary_ + (first + i) * kBackwardIds, vocabulary_,
                                               tile_rows, nullptr, first + i > 0, normed_gradient + row * width_,
                                               width_));
      }
      return absl::OkStatus();
    }));
  }
  return absl::OkStatus();
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
