// Confidence intervals. `confidence` is two-sided coverage, 0 to 1, both excluded.
#ifndef TERSOR_CORE_STATISTICS_INTERVAL_H_
#define TERSOR_CORE_STATISTICS_INTERVAL_H_

#include <cstdint>
#include <limits>
#include <span>

namespace tersor {

struct Interval {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};

Interval NormalInterval(double estimate, double standard_error, double confidence);
// Unbounded where there are no degrees of freedom.
Interval StudentInterval(double estimate, double standard_error, double degrees, double confidence);
// Wilson's score interval of a share (Wilson 1927), without continuity correction.
Interval WilsonInterval(int64_t successes, int64_t n, double confidence);

struct WeightedEstimate {
  double weight = 1;
  double estimate = 0;
  Interval interval = {};
};
// The interval of the weighted sum of independent estimates from their own intervals, which may lie askew (MOVER: Zou
// and Donner, Statistics in Medicine 27, 2008).
Interval CombineIntervals(std::span<const WeightedEstimate> parts);

}  // namespace tersor

#endif  // TERSOR_CORE_STATISTICS_INTERVAL_H_
