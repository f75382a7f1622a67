#include "core/evaluate/divergence.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// The smallest value that at least `share` of the values do not exceed.
double NearestRank(const std::vector<double>& sorted, double share) {
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace

v1::DivergenceResult SummarizeDivergence(const Protocol& protocol, std::vector<double> kl,
                                         std::span<const uint8_t> same_top1) {
  v1::DivergenceResult result;
  result.set_protocol(protocol.Words());
  result.set_hash(protocol.Hash());
  const auto tokens = static_cast<double>(kl.size());
  result.set_tokens(static_cast<int64_t>(kl.size()));
  result.set_kl_mean(std::accumulate(kl.begin(), kl.end(), 0.0) / tokens);
  // A NaN has no place in an order; it shows in the mean.
  std::sort(kl.begin(), kl.end(), [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; });
  result.set_kl_p50(NearestRank(kl, 0.50));
  result.set_kl_p99(NearestRank(kl, 0.99));
  result.set_kl_max(kl.back());
  result.set_top1_agreement(static_cast<double>(std::count(same_top1.begin(), same_top1.end(), 1)) / tokens);
  return result;
}

absl::StatusOr<Comparison> CompareWithBaseline(const ScoringModel& compressed, const Head& dense_head,
                                               const DenseBaseline& baseline, const Protocol& protocol,
                                               const ScoredWindows& windows, const EvaluateContext& context) {
  const int64_t scored = windows.scored();
  if (baseline.hidden.dtype() != DType::kF32 || baseline.hidden.shape().size() != 2 ||
      baseline.hidden.shape()[0] != scored) {
    return absl::InvalidArgumentError(
        absl::StrCat("the dense baseline holds no hidden states of these ", scored, " tokens"));
  }
  const int64_t dense_width = baseline.hidden.shape()[1];
  const std::span<const float> dense_hidden = baseline.hidden.as<float>();
  std::vector<double> kl(scored), window_nlls;
  std::vector<uint8_t> same(scored);
  std::chrono::duration<double> divergence_time{0};
  const auto start = std::chrono::steady_clock::now();
  TERSOR_RETURN_IF_ERROR(ScoreWindows(compressed, windows, context, [&](const ScoredGroup& group) -> absl::Status {
    TERSOR_RETURN_IF_ERROR(AddWindowNlls(*compressed.head, group, window_nlls));
    const auto rows = static_cast<int64_t>(group.targets.size());
    const auto divergence_start = std::chrono::steady_clock::now();
    TERSOR_RETURN_IF_ERROR(
        Divergence(dense_head, dense_hidden.subspan(group.first_row * dense_width, rows * dense_width),
                   *compressed.head, group.hidden, rows, std::span(kl).subspan(group.first_row, rows),
                   std::span(same).subspan(group.first_row, rows)));
    divergence_time += std::chrono::steady_clock::now() - divergence_start;
    return absl::OkStatus();
  }));
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start - divergence_time;
  return Comparison{MakePerplexityResult("compressed", protocol, windows, window_nlls, seconds.count()),
                    SummarizeDivergence(protocol, std::move(kl), same)};
}

}  // namespace tersor
