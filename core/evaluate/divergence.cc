#include "core/evaluate/divergence.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/stopwatch.h"
#include "core/statistics/interval.h"
#include "core/statistics/moments.h"

namespace tersor {
namespace {

// How a value a token varies over blocks of text.
ClusteredMean OverBlocks(std::span<const int64_t> block_tokens, const std::function<double(size_t)>& value) {
  std::vector<double> sums, counts;
  size_t at = 0;
  for (const int64_t tokens : block_tokens) {
    double sum = 0;
    for (int64_t i = 0; i < tokens; ++i) sum += value(at++);
    sums.push_back(sum);
    counts.push_back(static_cast<double>(tokens));
  }
  return MeanOverClusters(sums, counts);
}

void SetInterval(double low, double high, double confidence, v1::Interval& interval) {
  interval.set_low(low);
  interval.set_high(high);
  interval.set_confidence(confidence);
}

// The percentile's place among the sorted values is as uncertain as the share of values that lie above it.
void SetPercentileInterval(std::span<const double> kl, std::span<const double> sorted, double share, double confidence,
                           std::span<const int64_t> block_tokens, v1::Interval& interval) {
  const double percentile = NearestRank(sorted, share);
  const ClusteredMean below = OverBlocks(block_tokens, [&](size_t i) { return kl[i] <= percentile ? 1.0 : 0.0; });
  const Interval place =
      StudentInterval(share, below.standard_error, static_cast<double>(below.clusters - 1), confidence);
  const double last = static_cast<double>(sorted.size());
  // Beyond the largest value seen nothing is known.
  const double high =
      place.high * last > last - 1 ? std::numeric_limits<double>::infinity() : NearestRank(sorted, place.high);
  SetInterval(place.low <= 0 ? 0 : NearestRank(sorted, place.low), high, confidence, interval);
}

// Rounding may leave a divergence of nothing below 0.
double Loyalty(double jensen_shannon) { return 1 - std::sqrt(std::max(0.0, jensen_shannon)); }

void AddErrors(const TokenDivergences& tokens, std::span<const double> sorted, std::span<const int64_t> block_tokens,
               double confidence, v1::DivergenceResult& result) {
  const std::span<const double> kl = tokens.kl;
  const std::span<const uint8_t> same_top1 = tokens.same_top1;
  if (block_tokens.size() < 2) return;
  const auto degrees = static_cast<double>(block_tokens.size() - 1);
  result.set_blocks(static_cast<int64_t>(block_tokens.size()));
  const ClusteredMean mean = OverBlocks(block_tokens, [&](size_t i) { return kl[i]; });
  const Interval kl_mean = StudentInterval(mean.mean, mean.standard_error, degrees, confidence);
  SetInterval(std::max(0.0, kl_mean.low), kl_mean.high, confidence, *result.mutable_kl_mean_interval());
  if (std::isfinite(mean.standard_error)) result.set_kl_mean_standard_error(mean.standard_error);
  const ClusteredMean same = OverBlocks(block_tokens, [&](size_t i) { return same_top1[i] != 0 ? 1.0 : 0.0; });
  if (same.standard_error > 0) result.set_top1_agreement_standard_error(same.standard_error);
  const ClusteredMean loyalty = OverBlocks(block_tokens, [&](size_t i) { return Loyalty(tokens.jensen_shannon[i]); });
  if (std::isfinite(loyalty.standard_error)) result.set_probability_loyalty_standard_error(loyalty.standard_error);
  // Blocks that all agree to the same degree say nothing of how they differ.
  const Interval top1 = same.standard_error > 0 ? StudentInterval(same.mean, same.standard_error, degrees, confidence)
                                                : WilsonInterval(std::count(same_top1.begin(), same_top1.end(), 1),
                                                                 static_cast<int64_t>(same_top1.size()), confidence);
  SetInterval(std::max(0.0, top1.low), std::min(1.0, top1.high), confidence, *result.mutable_top1_agreement_interval());
  SetPercentileInterval(kl, sorted, 0.50, confidence, block_tokens, *result.mutable_kl_p50_interval());
  SetPercentileInterval(kl, sorted, 0.99, confidence, block_tokens, *result.mutable_kl_p99_interval());
}

}  // namespace

v1::DivergenceResult SummarizeDivergence(const Protocol& protocol, const TokenDivergences& divergences,
                                         std::span<const int64_t> block_tokens, double confidence) {
  const std::span<const double> kl = divergences.kl;
  const std::span<const uint8_t> same_top1 = divergences.same_top1;
  v1::DivergenceResult result;
  result.set_protocol(protocol.Words());
  result.set_hash(protocol.Hash());
  const auto tokens = static_cast<double>(kl.size());
  result.set_tokens(static_cast<int64_t>(kl.size()));
  result.set_kl_mean(std::accumulate(kl.begin(), kl.end(), 0.0) / tokens);
  // A NaN has no place in an order; it shows in the mean.
  std::vector<double> sorted(kl.begin(), kl.end());
  std::sort(sorted.begin(), sorted.end(), [](double a, double b) { return std::isnan(b) ? !std::isnan(a) : a < b; });
  result.set_kl_p50(NearestRank(sorted, 0.50));
  result.set_kl_p99(NearestRank(sorted, 0.99));
  result.set_kl_max(sorted.back());
  result.set_top1_agreement(static_cast<double>(std::count(same_top1.begin(), same_top1.end(), 1)) / tokens);
  double loyalty = 0;
  for (const double value : divergences.jensen_shannon) loyalty += Loyalty(value);
  result.set_probability_loyalty(loyalty / tokens);
  AddErrors(divergences, sorted, block_tokens, confidence, result);
  return result;
}

absl::StatusOr<BesideBaseline> ScoreBesideBaseline(const ScoringModel& compressed, const Head& dense_head,
                                                   const DenseBaseline& baseline, const ScoredWindows& windows,
                                                   const EvaluateContext& context) {
  const int64_t scored = windows.scored();
  if (baseline.hidden.dtype() != DType::kF32 || baseline.hidden.shape().size() != 2 ||
      baseline.hidden.shape()[0] != scored) {
    return absl::InvalidArgumentError(
        absl::StrCat("the dense baseline holds no hidden states of these ", scored, " tokens"));
  }
  const int64_t dense_width = baseline.hidden.shape()[1];
  const std::span<const float> dense_hidden = baseline.hidden.as<float>();
  BesideBaseline result;
  TokenDivergences& tokens = result.tokens;
  tokens = {std::vector<double>(scored), std::vector<double>(scored), std::vector<uint8_t>(scored)};
  double divergence_seconds = 0;
  const Stopwatch watch;
  TERSOR_RETURN_IF_ERROR(ScoreWindows(compressed, windows, context, [&](const ScoredGroup& group) -> absl::Status {
    TERSOR_RETURN_IF_ERROR(AddBlockNlls(*compressed.head, group, result.block_nlls));
    const auto rows = static_cast<int64_t>(group.targets.size());
    const Stopwatch divergence_watch;
    TERSOR_RETURN_IF_ERROR(
        Divergence(dense_head, dense_hidden.subspan(group.first_row * dense_width, rows * dense_width),
                   *compressed.head, group.hidden, rows, std::span(tokens.kl).subspan(group.first_row, rows),
                   std::span(tokens.same_top1).subspan(group.first_row, rows),
                   std::span(tokens.jensen_shannon).subspan(group.first_row, rows)));
    divergence_seconds += divergence_watch.Seconds();
    return absl::OkStatus();
  }));
  result.seconds = watch.Seconds() - divergence_seconds;
  return result;
}

absl::StatusOr<Comparison> CompareWithBaseline(const ScoringModel& compressed, const Head& dense_head,
                                               const DenseBaseline& baseline, const Protocol& protocol,
                                               const ScoredWindows& windows, double confidence,
                                               const EvaluateContext& context) {
  TERSOR_ASSIGN_OR_RETURN(const BesideBaseline scores,
                          ScoreBesideBaseline(compressed, dense_head, baseline, windows, context));
  return Comparison{MakePerplexityResult("compressed", protocol, windows, scores.block_nlls, scores.seconds),
                    SummarizeDivergence(protocol, scores.tokens, windows.block_tokens(), confidence)};
}

}  // namespace tersor
