// Runs windows through a model in groups that bound memory and hands on the hidden states of the scored positions.
#ifndef TERSOR_CORE_EVALUATE_WINDOW_SCORER_H_
#define TERSOR_CORE_EVALUATE_WINDOW_SCORER_H_

#include <cstdint>
#include <functional>
#include <span>

#include "core/base/status.h"
#include "core/evaluate/evaluate_context.h"
#include "core/evaluate/scored_windows.h"
#include "core/evaluate/scoring_model.h"

namespace tersor {

// Consecutive windows; valid during the call only.
struct ScoredGroup {
  std::span<const ScoredWindow> windows;
  // Index of the first of them, and of its first scored token among all scored tokens.
  int64_t first_window = 0;
  int64_t first_row = 0;
  // Final hidden states of the positions that predict the targets, [targets.size(), width], window by window.
  std::span<const float> hidden;
  std::span<const int32_t> targets;
};

struct GroupLimits {
  // A group holds as many windows as stay within both, and at least one.
  int64_t tokens = 16384;
  int64_t hidden_bytes = int64_t{256} << 20;
};

// Groups come in order. Results of a row do not depend on how windows are grouped.
absl::Status ScoreWindows(const ScoringModel& model, const ScoredWindows& windows, const EvaluateContext& context,
                          const std::function<absl::Status(const ScoredGroup&)>& consume,
                          const GroupLimits& limits = {});

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_WINDOW_SCORER_H_
