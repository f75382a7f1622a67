// Means, standard errors and quantiles of one sample.
#ifndef TERSOR_CORE_STATISTICS_MOMENTS_H_
#define TERSOR_CORE_STATISTICS_MOMENTS_H_

#include <cstdint>
#include <span>
#include <vector>

namespace tersor {

// NaN for an empty sample.
double Mean(std::span<const double> values);
// Divided by n - 1; 0 for fewer than two values.
double SampleVariance(std::span<const double> values);
// Of the mean, as lm-evaluation-harness has it: sample standard deviation / sqrt(n).
double StandardError(std::span<const double> values);

// Linear interpolation between order statistics (R's type 7, NumPy's default). `share` in [0, 1]; NaN when empty.
double Quantile(std::span<const double> values, double share);
// The smallest value that at least `share` of the values do not exceed. `sorted` is not empty and ascending.
double NearestRank(std::span<const double> sorted, double share);

// Sum of y over sum of n, where the pairs (y, n) are clusters: windows of text, each with its tokens.
struct ClusteredMean {
  double mean = 0;
  // By linearization over clusters (Cochran's ratio estimator); 0 for fewer than two of them.
  double standard_error = 0;
  int64_t clusters = 0;
};
// Sizes are equal; the sum of `counts` is positive.
ClusteredMean MeanOverClusters(std::span<const double> sums, std::span<const double> counts);

}  // namespace tersor

#endif  // TERSOR_CORE_STATISTICS_MOMENTS_H_
