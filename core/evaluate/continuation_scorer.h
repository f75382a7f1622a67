// Log-likelihoods of continuations given their contexts: what multiple-choice, cloze and ranking tasks are made of.
#ifndef TERSOR_CORE_EVALUATE_CONTINUATION_SCORER_H_
#define TERSOR_CORE_EVALUATE_CONTINUATION_SCORER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/status.h"
#include "core/evaluate/evaluate_context.h"
#include "core/evaluate/scoring_model.h"

namespace tersor {

// Neither is empty. The choices of a question are requests with the same context; what requests have in common at their
// start is computed once, whichever they are and wherever they stand.
struct ContinuationRequest {
  std::vector<int32_t> context;
  std::vector<int32_t> continuation;
};

struct ContinuationScore {
  // Natural-log likelihood of the continuation's tokens, summed in double.
  double log_likelihood = 0;
  // Every token of the continuation is the most likely one (of equal ones the lowest id).
  bool greedy = false;
  // How many ids are more likely than the continuation's first one, or as likely and lower; -1 unless asked for.
  int64_t first_rank = -1;
  // Tokens of the context that were left out on its left, so that context and continuation fit into the model.
  int64_t dropped = 0;
};

struct ContinuationOptions {
  // The model reads at most this many tokens of a request, the last ones (all but the last target); 0 is the model's
  // context length.
  int64_t max_length = 0;
  // Fills first_rank.
  bool rank_first = false;
  // Tokens that go through the model at a time. Results do not depend on it.
  int64_t batch_tokens = 8192;
  // May be null. Told (index of the request, its score) as batches finish, once a request, in no particular order, from
  // the calling thread; an error ends the scoring with it.
  std::function<absl::Status(int64_t, const ContinuationScore&)> on_score = nullptr;
};

// Scores in the order of `requests`. Bits depend on the request and the model alone: not on other requests, their
// order, the batch size or the number of threads. INVALID_ARGUMENT names a request with an empty part or a continuation
// that is longer than the model's context. Progress counts requests.
absl::StatusOr<std::vector<ContinuationScore>> ScoreContinuations(const ScoringModel& model,
                                                                  std::span<const ContinuationRequest> requests,
                                                                  const ContinuationOptions& options,
                                                                  const EvaluateContext& context);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_CONTINUATION_SCORER_H_
