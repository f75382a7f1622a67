#include "core/statistics/interval.h"

#include <algorithm>
#include <cmath>

#include "core/statistics/distributions.h"

namespace tersor {

Interval NormalInterval(double estimate, double standard_error, double confidence) {
  const double reach = TwoSidedNormal(confidence) * standard_error;
  return {estimate - reach, estimate + reach};
}

Interval StudentInterval(double estimate, double standard_error, double degrees, double confidence) {
  if (!(degrees > 0)) return {};
  const double reach = TwoSidedStudent(confidence, degrees) * standard_error;
  return {estimate - reach, estimate + reach};
}

Interval WilsonInterval(int64_t successes, int64_t n, double confidence) {
  if (n <= 0) return {0, 1};
  const auto count = static_cast<double>(n);
  const double share = static_cast<double>(successes) / count;
  const double z = TwoSidedNormal(confidence), z2 = z * z / count;
  const double centre = (share + z2 / 2) / (1 + z2);
  const double reach = z / (1 + z2) * std::sqrt(share * (1 - share) / count + z2 / (4 * count));
  return {successes == 0 ? 0 : std::max(0.0, centre - reach), successes == n ? 1 : std::min(1.0, centre + reach)};
}

Interval CombineIntervals(std::span<const WeightedEstimate> parts) {
  double estimate = 0, down = 0, up = 0;
  for (const WeightedEstimate& part : parts) {
    estimate += part.weight * part.estimate;
    double below = part.weight * (part.estimate - part.interval.low);
    double above = part.weight * (part.interval.high - part.estimate);
    if (part.weight < 0) std::swap(below, above);
    down += below * below;
    up += above * above;
  }
  return {estimate - std::sqrt(down), estimate + std::sqrt(up)};
}

}  // namespace tersor
