#include "core/evaluate/continuation_scorer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/evaluate/prefix_batches.h"
#include "core/evaluate/target_scores.h"

namespace tersor {
namespace {

// Hidden states of a batch in memory.
constexpr int64_t kHiddenBytes = int64_t{256} << 20;

// What the model reads of a request: all tokens but the last, and of these the last ones that fit.
struct Reading {
  std::vector<int32_t> ids;
  int64_t dropped = 0;
};

absl::StatusOr<Reading> Read(const ContinuationRequest& request, int64_t index, int64_t max_length) {
  const auto bad = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("scoring request ", index, ": ", what));
  };
  if (request.context.empty()) return bad("the context has no tokens (a task without one begins with a BOS token)");
  if (request.continuation.empty()) return bad("the continuation has no tokens");
  const auto targets = static_cast<int64_t>(request.continuation.size());
  if (targets > max_length) {
    return bad(absl::StrCat("its continuation of ", targets, " tokens does not fit into a context of ", max_length));
  }
  const int64_t length = static_cast<int64_t>(request.context.size()) + targets - 1;
  Reading reading;
  reading.dropped = std::max<int64_t>(0, length - max_length);
  reading.ids.reserve(length - reading.dropped);
  reading.ids.assign(request.context.begin() + reading.dropped, request.context.end());
  reading.ids.insert(reading.ids.end(), request.continuation.begin(), request.continuation.end() - 1);
  return reading;
}

// One batch's way through the model.
class ScoredBatch {
 public:
  ScoredBatch(std::span<const ContinuationRequest> requests, const std::vector<Reading>& readings,
              const PrefixBatch& batch, bool rank_first)
      : requests_(requests), readings_(readings), batch_(batch) {
    // Rows of the positions of the sequence at hand, and the place of a row among those that are scored.
    std::vector<int64_t> rows, places(batch.tokens, -1);
    for (const PrefixMember& member : batch.members) {
      const std::vector<int32_t>& sequence = readings[member.index].ids;
      AddSequence(sequence, member.shared, rows);
      const std::vector<int32_t>& targets = requests[member.index].continuation;
      const size_t first = sequence.size() - targets.size();
      for (size_t i = 0; i < targets.size(); ++i) {
        int64_t& place = places[rows[first + i]];
        if (place < 0) {
          place = static_cast<int64_t>(scored_rows_.size());
          scored_rows_.push_back(rows[first + i]);
        }
        targets_.push_back({place, targets[i], rank_first && i == 0});
      }
    }
  }

  absl::Status Run(const ScoringModel& model, const EvaluateContext& context,
                   const std::function<void(int, int)>& on_block, std::span<ContinuationScore> scores) const {
    TERSOR_ASSIGN_OR_RETURN(std::vector<float> hidden,
                            model.hidden_states(ids_, offsets_, shared_, context.cancellation, on_block));
    if (hidden.size() != ids_.size() * model.width) return absl::InternalError("hidden states of another size");
    KeepScored(model.width, hidden);
    // Targets stand in the order of requests; the head wants them in the order of rows.
    std::vector<size_t> order(targets_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return targets_[a].row < targets_[b].row; });
    std::vector<RowTarget> sorted(order.size());
    for (size_t i = 0; i < order.size(); ++i) sorted[i] = targets_[order[i]];
    const auto rows = static_cast<int64_t>(scored_rows_.size());
    TERSOR_ASSIGN_OR_RETURN(const std::vector<TargetScore> of_rows, ScoreTargets(*model.head, hidden, rows, sorted));
    std::vector<TargetScore> of_targets(order.size());
    for (size_t i = 0; i < order.size(); ++i) of_targets[order[i]] = of_rows[i];
    Collect(of_targets, scores);
    return absl::OkStatus();
  }

 private:
  void AddSequence(const std::vector<int32_t>& sequence, int64_t shared, std::vector<int64_t>& rows) {
    rows.resize(shared);
    // Equal to the one before it: nothing to compute.
    if (shared == static_cast<int64_t>(sequence.size())) return;
    for (size_t position = shared; position < sequence.size(); ++position) {
      rows.push_back(static_cast<int64_t>(ids_.size()));
      ids_.push_back(sequence[position]);
    }
    offsets_.push_back(static_cast<int64_t>(ids_.size()));
    shared_.push_back(shared);
  }

  // Moves the scored rows to the front, in their order among `scored_rows_`.
  void KeepScored(int64_t width, std::vector<float>& hidden) const {
    std::vector<float> kept(scored_rows_.size() * width);
    for (size_t i = 0; i < scored_rows_.size(); ++i) {
      std::copy_n(hidden.begin() + scored_rows_[i] * width, width, kept.begin() + i * width);
    }
    hidden = std::move(kept);
  }

  void Collect(const std::vector<TargetScore>& of_targets, std::span<ContinuationScore> scores) const {
    size_t at = 0;
    for (const PrefixMember& member : batch_.members) {
      const std::vector<int32_t>& continuation = requests_[member.index].continuation;
      ContinuationScore& score = scores[member.index];
      score.greedy = true;
      score.first_rank = of_targets[at].rank;
      score.dropped = readings_[member.index].dropped;
      for (size_t i = 0; i < continuation.size(); ++i, ++at) {
        score.log_likelihood += of_targets[at].log_likelihood;
        score.greedy = score.greedy && of_targets[at].top1 == continuation[i];
      }
    }
  }

  std::span<const ContinuationRequest> requests_;
  const std::vector<Reading>& readings_;
  const PrefixBatch& batch_;
  std::vector<int32_t> ids_;
  std::vector<int64_t> offsets_ = {0};
  std::vector<int64_t> shared_;
  // Rows of the pass that are scored, and what is scored there, request by request.
  std::vector<int64_t> scored_rows_;
  std::vector<RowTarget> targets_;
};

}  // namespace

absl::StatusOr<std::vector<ContinuationScore>> ScoreContinuations(const ScoringModel& model,
                                                                  std::span<const ContinuationRequest> requests,
                                                                  const ContinuationOptions& options,
                                                                  const EvaluateContext& context) {
  if (options.batch_tokens < 1 || options.max_length < 0) {
    return absl::InvalidArgumentError("batch_tokens must be positive and max_length not negative");
  }
  const int64_t longest = model.context_length > 0 ? model.context_length : std::numeric_limits<int32_t>::max();
  const int64_t max_length = options.max_length > 0 ? std::min(options.max_length, longest) : longest;
  std::vector<Reading> readings;
  std::vector<std::span<const int32_t>> sequences;
  readings.reserve(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    TERSOR_ASSIGN_OR_RETURN(Reading reading, Read(requests[i], static_cast<int64_t>(i), max_length));
    readings.push_back(std::move(reading));
    sequences.emplace_back(readings.back().ids);
  }
  std::vector<ContinuationScore> scores(requests.size());
  const auto total = static_cast<int64_t>(requests.size());
  int64_t done = 0;
  const int64_t fitting = std::max<int64_t>(1, kHiddenBytes / (model.width * static_cast<int64_t>(sizeof(float))));
  for (const PrefixBatch& batch : PlanPrefixBatches(sequences, std::min(options.batch_tokens, fitting))) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(context.cancellation));
    const auto members = static_cast<int64_t>(batch.members.size());
    const ScoredBatch pass(requests, readings, batch, options.rank_first);
    const auto on_block = [&](int block, int blocks) { context.Report(done + members * block / (blocks + 1), total); };
    TERSOR_RETURN_IF_ERROR(pass.Run(model, context, on_block, scores));
    done += members;
    context.Report(done, total);
    if (!options.on_score) continue;
    for (const PrefixMember& member : batch.members) {
      TERSOR_RETURN_IF_ERROR(options.on_score(member.index, scores[member.index]));
    }
  }
  return scores;
}

}  // namespace tersor
