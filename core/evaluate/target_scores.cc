#include "core/evaluate/target_scores.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "core/kernels/logit_reductions.h"
#include "core/kernels/parallel.h"
#include "core/kernels/scratch.h"

namespace tersor {
namespace {

// Rows whose statistics are gathered at once, and of these, rows whose logits of one chunk are in memory a thread.
constexpr int64_t kGroupRows = 1024;
constexpr int64_t kTileRows = 128;

// Rows [first, first + count) of all, with their targets.
class RowGroup {
 public:
  RowGroup(const Head& head, const float* hidden, int64_t first, int64_t count, std::span<const RowTarget> targets)
      : head_(head),
        first_(first),
        rows_(count),
        chunks_((head.vocabulary() + head.chunk_ids() - 1) / head.chunk_ids()),
        targets_(targets),
        normed_(count * head.width()) {
    head.Norm(hidden + first * head.width(), count, normed_.data());
  }

  absl::Status Score(std::span<TargetScore> scores) {
    std::vector<LogitStats> parts(rows_ * chunks_);
    std::vector<float> logits(targets_.size());
    TERSOR_RETURN_IF_ERROR(ForChunks([&](int64_t chunk, int64_t row, const float* values, int64_t ids) {
      parts[row * chunks_ + chunk] = ReduceLogits(values, ids, chunk * head_.chunk_ids());
      for (size_t t = FirstTarget(row); t < targets_.size() && targets_[t].row == first_ + row; ++t) {
        const int64_t id = targets_[t].id - chunk * head_.chunk_ids();
        if (id >= 0 && id < ids) logits[t] = values[id];
      }
    }));
    for (size_t t = 0; t < targets_.size(); ++t) {
      const int64_t row = targets_[t].row - first_;
      LogitStats whole;
      for (int64_t chunk = 0; chunk < chunks_; ++chunk) whole.Append(parts[row * chunks_ + chunk]);
      scores[t].log_likelihood = static_cast<double>(logits[t]) - whole.LogSumExp();
      scores[t].top1 = static_cast<int32_t>(whole.argmax);
    }
    const bool ranked = std::any_of(targets_.begin(), targets_.end(), [](const RowTarget& t) { return t.ranked; });
    return ranked ? Rank(logits, scores) : absl::OkStatus();
  }

 private:
  // A second pass over the logits: what ranks before a target can be counted only once its logit is known.
  absl::Status Rank(const std::vector<float>& logits, std::span<TargetScore> scores) {
    std::vector<int64_t> before(targets_.size() * chunks_, 0);
    TERSOR_RETURN_IF_ERROR(ForChunks([&](int64_t chunk, int64_t row, const float* values, int64_t ids) {
      for (size_t t = FirstTarget(row); t < targets_.size() && targets_[t].row == first_ + row; ++t) {
        if (!targets_[t].ranked) continue;
        const int64_t own = targets_[t].id - chunk * head_.chunk_ids();
        int64_t count = 0;
        for (int64_t i = 0; i < ids; ++i) count += values[i] > logits[t] || (values[i] == logits[t] && i < own);
        before[t * chunks_ + chunk] = count;
      }
    }));
    for (size_t t = 0; t < targets_.size(); ++t) {
      if (!targets_[t].ranked) continue;
      scores[t].rank = 0;
      for (int64_t chunk = 0; chunk < chunks_; ++chunk) scores[t].rank += before[t * chunks_ + chunk];
    }
    return absl::OkStatus();
  }

  size_t FirstTarget(int64_t row) const {
    const auto before = [](const RowTarget& target, int64_t wanted) { return target.row < wanted; };
    return std::lower_bound(targets_.begin(), targets_.end(), first_ + row, before) - targets_.begin();
  }

  // Calls visit(chunk, row, the chunk's logits, how many) on the head's threads, once for each chunk and row.
  absl::Status ForChunks(const std::function<void(int64_t, int64_t, const float*, int64_t)>& visit) {
    const int64_t tiles = (rows_ + kTileRows - 1) / kTileRows;
    return ParallelFor(head_.threads(), tiles * chunks_, [&](int64_t task) {
      // Tiles of a chunk follow one another: its weights stay in the cache.
      const int64_t chunk = task / tiles;
      const int64_t first = task % tiles * kTileRows;
      const int64_t count = std::min(kTileRows, rows_ - first);
      const int64_t ids = std::min(head_.chunk_ids(), head_.vocabulary() - chunk * head_.chunk_ids());
      ScratchBuffer logits(count * ids);
      TERSOR_RETURN_IF_ERROR(
          head_.ChunkLogits(normed_.data() + first * head_.width(), count, chunk, logits.data(), ids));
      for (int64_t row = 0; row < count; ++row) visit(chunk, first + row, logits.data() + row * ids, ids);
      return absl::OkStatus();
    });
  }

  const Head& head_;
  const int64_t first_, rows_, chunks_;
  const std::span<const RowTarget> targets_;
  ScratchBuffer normed_;
};

}  // namespace

absl::StatusOr<std::vector<TargetScore>> ScoreTargets(const Head& head, std::span<const float> hidden, int64_t rows,
                                                      std::span<const RowTarget> targets) {
  if (rows < 0 || hidden.size() != static_cast<size_t>(rows * head.width())) {
    return absl::InvalidArgumentError(
        absl::StrCat(hidden.size(), " hidden values are not ", rows, " rows of width ", head.width()));
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    if (targets[i].row < 0 || targets[i].row >= rows || (i > 0 && targets[i].row < targets[i - 1].row)) {
      return absl::InvalidArgumentError("targets must be in the order of their rows");
    }
    if (targets[i].id >= 0 && targets[i].id < head.vocabulary()) continue;
    return absl::OutOfRangeError(
        absl::StrCat("target ", targets[i].id, " is outside the vocabulary of ", head.vocabulary()));
  }
  std::vector<TargetScore> scores(targets.size());
  size_t target = 0;
  for (int64_t first = 0; first < rows; first += kGroupRows) {
    const int64_t count = std::min(kGroupRows, rows - first);
    size_t end = target;
    while (end < targets.size() && targets[end].row < first + count) ++end;
    RowGroup group(head, hidden.data(), first, count, targets.subspan(target, end - target));
    TERSOR_RETURN_IF_ERROR(group.Score(std::span(scores).subspan(target, end - target)));
    target = end;
  }
  return scores;
}

}  // namespace tersor
