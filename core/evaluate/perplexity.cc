#include "core/evaluate/perplexity.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "core/base/stopwatch.h"
#include "core/compare/perplexity_error.h"

namespace tersor {
namespace {

// Blocks that begin after about as many tokens of their windows, put together.
void AddPositions(const ScoredWindows& windows, const std::vector<double>& block_nlls, v1::PerplexityResult& result) {
  std::map<int64_t, v1::PerplexityResult::Position> positions;
  size_t at = 0;
  for (const ScoredWindow& window : windows.windows) {
    int64_t before = window.score_begin - window.begin + (window.prefix >= 0 ? 1 : 0);
    for (int64_t i = 0; i < window.blocks(); ++i) {
      const auto [it, fresh] = positions.try_emplace((before + kBlockTokens / 2) / kBlockTokens);
      v1::PerplexityResult::Position& position = it->second;
      position.set_start(fresh ? before : std::min(position.start(), before));
      position.set_n(position.n() + window.block_tokens(i));
      // The sum until all are in.
      position.set_nll_mean(position.nll_mean() + block_nlls[at++]);
      before += window.block_tokens(i);
    }
  }
  for (auto& [bucket, position] : positions) {
    position.set_nll_mean(position.nll_mean() / static_cast<double>(position.n()));
    *result.add_positions() = position;
  }
}

}  // namespace

absl::Status AddBlockNlls(const Head& head, const ScoredGroup& group, std::vector<double>& block_nlls) {
  std::vector<double> log_likelihoods(group.targets.size());
  TERSOR_RETURN_IF_ERROR(head.LogLikelihoods(group.hidden, group.targets, std::span<double>(log_likelihoods), {}));
  size_t at = 0;
  for (const ScoredWindow& window : group.windows) {
    for (int64_t block = 0; block < window.blocks(); ++block) {
      double nll = 0;
      for (int64_t i = 0; i < window.block_tokens(block); ++i) nll -= log_likelihoods[at++];
      block_nlls.push_back(nll);
    }
  }
  return absl::OkStatus();
}

v1::PerplexityResult MakePerplexityResult(absl::string_view subject, const Protocol& protocol,
                                          const ScoredWindows& windows, const std::vector<double>& block_nlls,
                                          double seconds) {
  v1::PerplexityResult result;
  result.set_subject(std::string(subject));
  result.set_dataset(protocol.dataset);
  result.set_protocol(protocol.Words());
  result.set_hash(protocol.Hash());
  double sum = 0;
  size_t at = 0;
  for (const ScoredWindow& scored : windows.windows) {
    v1::PerplexityResult::Window* window = result.add_windows();
    double window_sum = 0;
    for (int64_t i = 0; i < scored.blocks(); ++i) {
      v1::PerplexityResult::Block* block = window->add_blocks();
      block->set_n(scored.block_tokens(i));
      block->set_nll_sum(block_nlls[at]);
      window_sum += block_nlls[at++];
    }
    window->set_start(scored.start);
    window->set_n(scored.scored());
    window->set_nll_sum(window_sum);
    sum += window_sum;
  }
  AddPositions(windows, block_nlls, result);
  result.set_nll_sum(sum);
  result.set_count(windows.divisor);
  result.set_value(std::exp(sum / static_cast<double>(windows.divisor)));
  const std::optional<double> error = PerplexityStandardError(result);
  if (error.has_value()) result.set_standard_error(*error);
  result.set_available_windows(windows.available);
  result.set_seconds(seconds);
  if (seconds > 0) result.set_tokens_per_second(static_cast<double>(windows.tokens()) / seconds);
  return result;
}

absl::StatusOr<v1::PerplexityResult> MeasurePerplexity(absl::string_view subject, const ScoringModel& model,
                                                       const Protocol& protocol, const ScoredWindows& windows,
                                                       const EvaluateContext& context) {
  const Stopwatch watch;
  std::vector<double> block_nlls;
  TERSOR_RETURN_IF_ERROR(ScoreWindows(
      model, windows, context, [&](const ScoredGroup& group) { return AddBlockNlls(*model.head, group, block_nlls); }));
  return MakePerplexityResult(subject, protocol, windows, block_nlls, watch.Seconds());
}

}  // namespace tersor
