// KL(dense || compressed), exact over the vocabulary, on the tokens that a perplexity scores.
#ifndef TERSOR_CORE_EVALUATE_DIVERGENCE_H_
#define TERSOR_CORE_EVALUATE_DIVERGENCE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/status.h"
#include "core/evaluate/dense_baseline.h"
#include "core/evaluate/evaluate_context.h"
#include "core/evaluate/perplexity.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// One value a scored token.
struct TokenDivergences {
  // KL(dense || compressed) and Jensen-Shannon divergence in nats.
  std::vector<double> kl = {};
  std::vector<double> jensen_shannon = {};
  // Whether the most likely next token is the same.
  std::vector<uint8_t> same_top1 = {};
};

// Mean, maximum, the nearest-rank p50 and p99, the share of agreeing top-1 ids (label loyalty) and the mean of
// 1 - sqrt(Jensen-Shannon) (probability loyalty, after arXiv 2109.03228), with intervals over blocks of `block_tokens`
// tokens (percentiles: Woodruff, JASA 47, 1952); there are none with fewer than two blocks. Sizes are equal, not 0, and
// the blocks' sum.
v1::DivergenceResult SummarizeDivergence(const Protocol& protocol, const TokenDivergences& tokens,
                                         std::span<const int64_t> block_tokens, double confidence);

// What the compressed model gave on a text beside the dense one.
struct BesideBaseline {
  // One a block of each window.
  std::vector<double> block_nlls;
  TokenDivergences tokens;
  // Without the divergences.
  double seconds = 0;
};

// One pass. `baseline` holds the dense hidden states (MeasureBaseline with `keep_hidden`) of the same windows;
// INVALID_ARGUMENT where it does not.
absl::StatusOr<BesideBaseline> ScoreBesideBaseline(const ScoringModel& compressed, const Head& dense_head,
                                                   const DenseBaseline& baseline, const ScoredWindows& windows,
                                                   const EvaluateContext& context);

struct Comparison {
  v1::PerplexityResult perplexity;
  v1::DivergenceResult divergence;
};

// Perplexity of the compressed model and its divergence from the dense one, as ScoreBesideBaseline.
absl::StatusOr<Comparison> CompareWithBaseline(const ScoringModel& compressed, const Head& dense_head,
                                               const DenseBaseline& baseline, const Protocol& protocol,
                                               const ScoredWindows& windows, double confidence,
                                               const EvaluateContext& context);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_DIVERGENCE_H_
