// Perplexity of one model under one protocol.
#ifndef TERSOR_CORE_EVALUATE_PERPLEXITY_H_
#define TERSOR_CORE_EVALUATE_PERPLEXITY_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/evaluate/evaluate_context.h"
#include "core/evaluate/protocol.h"
#include "core/evaluate/scored_windows.h"
#include "core/evaluate/scoring_model.h"
#include "core/evaluate/window_scorer.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Adds the negative log-likelihood of each block of each window (summed in double, in order) to `block_nlls`.
absl::Status AddBlockNlls(const Head& head, const ScoredGroup& group, std::vector<double>& block_nlls);

// The result for NLLs measured before: subject "dense" or "compressed"; exp(sum / divisor), and the mean NLL by how
// many tokens of the window came before.
v1::PerplexityResult MakePerplexityResult(absl::string_view subject, const Protocol& protocol,
                                          const ScoredWindows& windows, const std::vector<double>& block_nlls,
                                          double seconds);

// Progress counts tokens.
absl::StatusOr<v1::PerplexityResult> MeasurePerplexity(absl::string_view subject, const ScoringModel& model,
                                                       const Protocol& protocol, const ScoredWindows& windows,
                                                       const EvaluateContext& context);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_PERPLEXITY_H_
