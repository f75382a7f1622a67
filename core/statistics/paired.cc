#include "core/statistics/paired.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/statistics/distributions.h"
#include "core/statistics/moments.h"

namespace tersor {
namespace {

bool RightOrWrong(std::span<const double> scores) {
  return std::all_of(scores.begin(), scores.end(), [](double score) { return score == 0 || score == 1; });
}

// Tango's statistic at drop `delta`: standard normal where that is the true drop; falls as delta grows.
double TangoScore(const Flips& flips, double delta) {
  const auto n = static_cast<double>(flips.items), b = static_cast<double>(flips.lost),
             c = static_cast<double>(flips.won);
  // The share of won items that is most likely, given the drop: larger root of A x^2 + B x + C.
  const double qa = 2 * n, qb = -b - c + (2 * n - b + c) * delta, qc = -c * delta * (1 - delta);
  const double won = (std::sqrt(std::max(0.0, qb * qb - 4 * qa * qc)) - qb) / (2 * qa);
  const double distance = b - c - n * delta;
  const double variance = n * (2 * won + delta * (1 - delta));
  if (variance <= 0) return distance == 0 ? 0 : std::copysign(HUGE_VAL, distance);
  return distance / std::sqrt(variance);
}

// The drop in [low, high] at which the score, falling, passes `z`.
double SolveTango(const Flips& flips, double z, double low, double high) {
  for (int i = 0; i < 200; ++i) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    (TangoScore(flips, middle) > z ? low : high) = middle;
  }
  return low + (high - low) / 2;
}

}  // namespace

Flips CountFlips(std::span<const double> before, std::span<const double> after) {
  Flips flips;
  flips.items = static_cast<int64_t>(before.size());
  for (size_t i = 0; i < before.size(); ++i) {
    const bool was = before[i] == 1, is = after[i] == 1;
    flips.lost += was && !is;
    flips.won += !was && is;
  }
  return flips;
}

double McNemarExact(const Flips& flips) {
  const int64_t all = flips.lost + flips.won;
  return all == 0 ? 1 : std::min(1.0, 2 * BinomialCdf(std::min(flips.lost, flips.won), all, 0.5));
}

Interval TangoInterval(const Flips& flips, double confidence) {
  if (flips.items <= 0) return {-1, 1};
  const double estimate = static_cast<double>(flips.lost - flips.won) / static_cast<double>(flips.items);
  const double z = TwoSidedNormal(confidence);
  Interval interval = {-1, 1};
  if (flips.won < flips.items) interval.low = SolveTango(flips, z, -1, estimate);
  if (flips.lost < flips.items) interval.high = SolveTango(flips, -z, estimate, 1);
  return interval;
}

PairedDrop DropOnSameItems(std::span<const double> before, std::span<const double> after, double confidence) {
  PairedDrop result;
  result.items = static_cast<int64_t>(before.size());
  if (before.empty()) {
    result.interval = {-1, 1};
    return result;
  }
  std::vector<double> differences(before.size());
  for (size_t i = 0; i < before.size(); ++i) differences[i] = before[i] - after[i];
  result.drop = Mean(differences);
  result.standard_error = StandardError(differences);
  if (RightOrWrong(before) && RightOrWrong(after)) {
    result.interval = TangoInterval(CountFlips(before, after), confidence);
  } else if (result.standard_error > 0) {
    result.interval =
        StudentInterval(result.drop, result.standard_error, static_cast<double>(result.items - 1), confidence);
  } else {
    const Interval still = TangoInterval({.items = result.items}, confidence);
    result.interval = {result.drop + still.low, result.drop + still.high};
  }
  return result;
}

PairedRatio PerplexityRatioOnBlocks(std::span<const double> before, std::span<const double> after,
                                    std::span<const double> tokens, double divisor, double confidence) {
  std::vector<double> differences(before.size());
  for (size_t i = 0; i < before.size(); ++i) differences[i] = after[i] - before[i];
  const ClusteredMean mean = MeanOverClusters(differences, tokens);
  const double scale = std::accumulate(tokens.begin(), tokens.end(), 0.0) / divisor;
  PairedRatio result;
  result.blocks = mean.clusters;
  result.ratio = std::exp(mean.mean * scale);
  result.standard_error = mean.standard_error * scale;
  const Interval log_interval =
      StudentInterval(mean.mean * scale, result.standard_error, static_cast<double>(mean.clusters - 1), confidence);
  result.interval = {std::exp(log_interval.low), std::exp(log_interval.high)};
  return result;
}

}  // namespace tersor
