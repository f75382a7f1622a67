#include "core/evaluate/perplexity.h"

#include <chrono>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace tersor {

absl::Status AddWindowNlls(const Head& head, const ScoredGroup& group, std::vector<double>& window_nlls) {
  std::vector<double> log_likelihoods(group.targets.size());
  TERSOR_RETURN_IF_ERROR(head.LogLikelihoods(group.hidden, group.targets, std::span<double>(log_likelihoods), {}));
  size_t at = 0;
  for (const ScoredWindow& window : group.windows) {
    double nll = 0;
    for (int64_t i = 0; i < window.scored(); ++i) nll -= log_likelihoods[at++];
    window_nlls.push_back(nll);
  }
  return absl::OkStatus();
}

v1::PerplexityResult MakePerplexityResult(absl::string_view subject, const Protocol& protocol,
                                          const ScoredWindows& windows, const std::vector<double>& window_nlls,
                                          double seconds) {
  v1::PerplexityResult result;
  result.set_subject(std::string(subject));
  result.set_dataset(protocol.dataset);
  result.set_protocol(protocol.Words());
  result.set_hash(protocol.Hash());
  double sum = 0;
  for (size_t i = 0; i < window_nlls.size(); ++i) {
    v1::PerplexityResult::Window* window = result.add_windows();
    window->set_start(windows.windows[i].start);
    window->set_n(windows.windows[i].scored());
    window->set_nll_sum(window_nlls[i]);
    sum += window_nlls[i];
  }
  result.set_nll_sum(sum);
  result.set_count(windows.divisor);
  result.set_value(std::exp(sum / static_cast<double>(windows.divisor)));
  result.set_seconds(seconds);
  if (seconds > 0) result.set_tokens_per_second(static_cast<double>(windows.tokens()) / seconds);
  return result;
}

absl::StatusOr<v1::PerplexityResult> MeasurePerplexity(absl::string_view subject, const ScoringModel& model,
                                                       const Protocol& protocol, const ScoredWindows& windows,
                                                       const EvaluateContext& context) {
  const auto start = std::chrono::steady_clock::now();
  std::vector<double> window_nlls;
  TERSOR_RETURN_IF_ERROR(ScoreWindows(model, windows, context, [&](const ScoredGroup& group) {
    return AddWindowNlls(*model.head, group, window_nlls);
  }));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  return MakePerplexityResult(subject, protocol, windows, window_nlls, seconds.count());
}

}  // namespace tersor
