// Resampling of items, for metrics that are no mean of the items' scores: correlations, corpus F1.
#ifndef TERSOR_CORE_STATISTICS_BOOTSTRAP_H_
#define TERSOR_CORE_STATISTICS_BOOTSTRAP_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/statistics/interval.h"

namespace tersor {

inline constexpr int kBootstrapReplicates = 1000;
inline constexpr uint64_t kBootstrapSeed = 1234;

// A metric of the items with these indices; indices repeat. May answer NaN where it is undefined.
using ItemStatistic = std::function<double(std::span<const uint32_t> items)>;

// The statistic of `replicates` samples of n out of n items with replacement. Replicate r draws from a stream of its
// own that seed and r alone decide: the values do not depend on who computes them or in which order. NaNs are left out.
std::vector<double> BootstrapReplicates(uint32_t n, const ItemStatistic& statistic,
                                        int replicates = kBootstrapReplicates, uint64_t seed = kBootstrapSeed);

// Standard deviation of the replicates: the statistic's standard error. 0 with fewer than two.
double BootstrapError(std::span<const double> replicates);
// Percentile interval; unbounded with fewer than two replicates.
Interval BootstrapInterval(std::span<const double> replicates, double confidence);

}  // namespace tersor

#endif  // TERSOR_CORE_STATISTICS_BOOTSTRAP_H_
