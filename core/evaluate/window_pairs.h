// The dense and the compressed model on the same windows, window by window: what an evaluation that goes on with more
// of a text is made of.
#ifndef TERSOR_CORE_EVALUATE_WINDOW_PAIRS_H_
#define TERSOR_CORE_EVALUATE_WINDOW_PAIRS_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/base/status.h"
#include "core/evaluate/divergence.h"
#include "core/evaluate/evaluate_context.h"
#include "core/evaluate/scored_windows.h"
#include "core/evaluate/scoring_model.h"

namespace tersor {

struct PairedWindow {
  // One a block of the window.
  std::vector<double> dense_nlls;
  std::vector<double> nlls;
  // One a scored token; empty where divergence is not measured.
  TokenDivergences tokens;
};

// Runs of consecutive windows in order: what the dense model gave (`dense_nlls`, one a block), what the compressed one
// gave, cut into windows. Sizes fit `windows`.
std::vector<PairedWindow> CutPairs(std::span<const ScoredWindow> windows, std::span<const double> dense_nlls,
                                   std::span<const double> nlls, const TokenDivergences& tokens);

struct PairSeconds {
  double dense = 0;
  double compressed = 0;
};

// Both models run over one group of windows after the other, so that the dense hidden states, which divergence needs,
// are in memory for one group only. `keep` gets each group's windows once they are complete, with the index of the
// first within `windows`. Progress counts tokens.
absl::StatusOr<PairSeconds> ScorePairs(
    const ScoringModel& dense, const ScoringModel& compressed, bool divergence, const ScoredWindows& windows,
    const EvaluateContext& context,
    const std::function<absl::Status(size_t first, std::vector<PairedWindow> pairs)>& keep);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_WINDOW_PAIRS_H_
