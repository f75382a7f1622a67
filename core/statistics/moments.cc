#include "core/statistics/moments.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace tersor {

double Mean(std::span<const double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double SampleVariance(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size() - 1);
}

double StandardError(std::span<const double> values) {
  return values.empty() ? 0 : std::sqrt(SampleVariance(values) / static_cast<double>(values.size()));
}

double Quantile(std::span<const double> values, double share) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  const double position = std::clamp(share, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

double NearestRank(std::span<const double> sorted, double share) {
  const double rank = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(sorted.size()));
  return sorted[std::clamp<size_t>(static_cast<size_t>(rank), 1, sorted.size()) - 1];
}

ClusteredMean MeanOverClusters(std::span<const double> sums, std::span<const double> counts) {
  ClusteredMean result;
  result.clusters = static_cast<int64_t>(sums.size());
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  result.mean = std::accumulate(sums.begin(), sums.end(), 0.0) / total;
  if (sums.size() < 2) return result;
  double squares = 0;
  for (size_t i = 0; i < sums.size(); ++i) {
    const double residual = sums[i] - result.mean * counts[i];
    squares += residual * residual;
  }
  const auto clusters = static_cast<double>(sums.size());
  result.standard_error = std::sqrt(squares * clusters / (clusters - 1)) / total;
  return result;
}

}  // namespace tersor
