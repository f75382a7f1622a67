#include "core/evaluate/continuation_scorer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// Rows whose logits are held at a time for ranks.
constexpr int64_t kRankRows = 64;

// Requests that go through the model together: packed sequences, and the rows that predict a target.
struct Batch {
  size_t first = 0;
  size_t last = 0;
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets = {0};
  std::vector<int64_t> rows;
  std::vector<int32_t> targets;
};

absl::Status CheckRequest(const ContinuationRequest& request, size_t index, int64_t max_length) {
  const auto bad = [&](absl::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat("scoring request ", index, ": ", what));
  };
  if (request.context.empty()) return bad("the context has no tokens");
  if (request.continuation.empty()) return bad("the continuation has no tokens");
  if (static_cast<int64_t>(request.continuation.size()) > max_length) {
    return bad(absl::StrCat("its continuation of ", request.continuation.size(),
                            " tokens does not fit into a context of ", max_length));
  }
  return absl::OkStatus();
}

int64_t Dropped(const ContinuationRequest& request, int64_t max_length) {
  const auto length = static_cast<int64_t>(request.context.size() + request.continuation.size()) - 1;
  return std::max<int64_t>(0, length - max_length);
}

// Adds the request's tokens but the last, less the dropped ones.
void AddRequest(const ContinuationRequest& request, int64_t dropped, Batch& batch) {
  batch.ids.insert(batch.ids.end(), request.context.begin() + dropped, request.context.end());
  batch.ids.insert(batch.ids.end(), request.continuation.begin(), request.continuation.end() - 1);
  const auto end = static_cast<int64_t>(batch.ids.size()), targets = static_cast<int64_t>(request.continuation.size());
  for (int64_t i = 0; i < targets; ++i) batch.rows.push_back(end - targets + i);
  batch.targets.insert(batch.targets.end(), request.continuation.begin(), request.continuation.end());
  batch.offsets.push_back(end);
}

std::vector<Batch> MakeBatches(std::span<const ContinuationRequest> requests, int64_t max_length, int64_t tokens) {
  std::vector<Batch> batches;
  for (size_t i = 0; i < requests.size(); ++i) {
    const int64_t dropped = Dropped(requests[i], max_length);
    const auto length = static_cast<int64_t>(requests[i].context.size() + requests[i].continuation.size()) - dropped;
    if (batches.empty() || static_cast<int64_t>(batches.back().ids.size()) + length > tokens) {
      batches.emplace_back().first = i;
    }
    AddRequest(requests[i], dropped, batches.back());
    batches.back().last = i + 1;
  }
  return batches;
}

// Ids that are more likely than `target`, or as likely and lower.
int64_t RankOf(std::span<const float> logits, int32_t target) {
  int64_t rank = 0;
  for (size_t id = 0; id < logits.size(); ++id) {
    rank += logits[id] > logits[target] || (logits[id] == logits[target] && static_cast<int32_t>(id) < target);
  }
  return rank;
}

absl::Status RankFirst(const Head& head, std::span<const float> hidden, std::span<const ContinuationRequest> requests,
                       std::span<ContinuationScore> scores) {
  const int64_t width = head.width(), vocabulary = head.vocabulary();
  std::vector<float> rows(kRankRows * width), logits(kRankRows * vocabulary);
  // The first target of each request, kRankRows requests at a time.
  std::vector<int64_t> firsts;
  int64_t row = 0;
  for (const ContinuationRequest& request : requests) {
    firsts.push_back(row);
    row += static_cast<int64_t>(request.continuation.size());
  }
  for (size_t begin = 0; begin < firsts.size(); begin += kRankRows) {
    const auto count = std::min<int64_t>(kRankRows, static_cast<int64_t>(firsts.size() - begin));
    for (int64_t i = 0; i < count; ++i) {
      std::copy_n(hidden.begin() + firsts[begin + i] * width, width, rows.begin() + i * width);
    }
    TERSOR_RETURN_IF_ERROR(
        head.Logits(std::span(rows).first(count * width), count, std::span(logits).first(count * vocabulary)));
    for (int64_t i = 0; i < count; ++i) {
      scores[begin + i].first_rank =
          RankOf(std::span(logits).subspan(i * vocabulary, vocabulary), requests[begin + i].continuation.front());
    }
  }
  return absl::OkStatus();
}

absl::Status ScoreBatch(const ScoringModel& model, const Batch& batch, std::span<const ContinuationRequest> requests,
                        bool rank_first, const EvaluateContext& context, std::span<ContinuationScore> scores) {
  TERSOR_ASSIGN_OR_RETURN(std::vector<float> all,
                          model.hidden_states(batch.ids, batch.offsets, context.cancellation, nullptr));
  std::vector<float> hidden(batch.rows.size() * model.width);
  for (size_t i = 0; i < batch.rows.size(); ++i) {
    std::copy_n(all.begin() + batch.rows[i] * model.width, model.width, hidden.begin() + i * model.width);
  }
  std::vector<double> log_likelihoods(batch.targets.size());
  std::vector<int32_t> top1(batch.targets.size());
  TERSOR_RETURN_IF_ERROR(
      model.head->LogLikelihoods(hidden, batch.targets, std::span<double>(log_likelihoods), std::span<int32_t>(top1)));
  size_t at = 0;
  for (size_t i = 0; i < requests.size(); ++i) {
    scores[i].greedy = true;
    for (const int32_t target : requests[i].continuation) {
      scores[i].log_likelihood += log_likelihoods[at];
      scores[i].greedy = scores[i].greedy && top1[at] == target;
      ++at;
    }
  }
  return rank_first ? RankFirst(*model.head, hidden, requests, scores) : absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<ContinuationScore>> ScoreContinuations(const ScoringModel& model,
                                                                  std::span<const ContinuationRequest> requests,
                                                                  const ContinuationOptions& options,
                                                                  const EvaluateContext& context) {
  const int64_t longest = model.context_length > 0 ? model.context_length : std::numeric_limits<int32_t>::max();
  const int64_t max_length = options.max_length > 0 ? std::min(options.max_length, longest) : longest;
  std::vector<ContinuationScore> scores(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    TERSOR_RETURN_IF_ERROR(CheckRequest(requests[i], i, max_length));
    scores[i].dropped = Dropped(requests[i], max_length);
  }
  for (const Batch& batch : MakeBatches(requests, max_length, options.batch_tokens)) {
    TERSOR_RETURN_IF_ERROR(CheckCancelled(context.cancellation));
    const size_t count = batch.last - batch.first;
    TERSOR_RETURN_IF_ERROR(ScoreBatch(model, batch, requests.subspan(batch.first, count), options.rank_first, context,
                                      std::span(scores).subspan(batch.first, count)));
    context.Report(static_cast<int64_t>(batch.last), static_cast<int64_t>(requests.size()));
    for (size_t i = batch.first; options.on_score && i < batch.last; ++i) {
      TERSOR_RETURN_IF_ERROR(options.on_score(static_cast<int64_t>(i), scores[i]));
    }
  }
  return scores;
}

}  // namespace tersor
