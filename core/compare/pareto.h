// Which models none beats in quality and cost together.
#ifndef TERSOR_CORE_COMPARE_PARETO_H_
#define TERSOR_CORE_COMPARE_PARETO_H_

#include <span>
#include <vector>

namespace tersor {

struct ParetoPoint {
  // Any index of the caller's.
  int index = 0;
  // Lower is better, positive.
  double cost = 0;
  // Higher is better, positive.
  double quality = 0;
};

// The points that no other one equals or beats in both while beating it in one, by rising cost; of equal points the
// first.
std::vector<ParetoPoint> ParetoFrontOf(std::span<const ParetoPoint> points);

// How many doublings below the reference's cost the area reaches.
inline constexpr double kAreaDoublings = 4;

// Mean of best quality at a budget / the reference's quality, over the logarithm of budgets between a sixteenth of the
// reference's cost and all of it; budgets that no point keeps count as 0. Qualities above the reference's count in
// full.
double ParetoArea(std::span<const ParetoPoint> points, const ParetoPoint& reference);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_PARETO_H_
