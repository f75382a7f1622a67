#include "core/compare/pareto.h"

#include <algorithm>
#include <cmath>

namespace tersor {

std::vector<ParetoPoint> ParetoFrontOf(std::span<const ParetoPoint> points) {
  std::vector<ParetoPoint> sorted(points.begin(), points.end());
  // What is no number is on no front, and has no place in an order.
  std::erase_if(sorted, [](const ParetoPoint& point) { return std::isnan(point.cost) || std::isnan(point.quality); });
  std::stable_sort(sorted.begin(), sorted.end(), [](const ParetoPoint& a, const ParetoPoint& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.quality > b.quality;
  });
  std::vector<ParetoPoint> front;
  for (const ParetoPoint& point : sorted) {
    if (front.empty() || point.quality > front.back().quality) front.push_back(point);
  }
  return front;
}

double ParetoArea(std::span<const ParetoPoint> points, const ParetoPoint& reference) {
  const std::vector<ParetoPoint> front = ParetoFrontOf(points);
  double area = 0;
  for (size_t i = 0; i < front.size(); ++i) {
    // In doublings above the smallest budget.
    const auto place = [&](double cost) {
      return std::clamp(kAreaDoublings + std::log2(cost / reference.cost), 0.0, kAreaDoublings);
    };
    const double end = i + 1 < front.size() ? place(front[i + 1].cost) : kAreaDoublings;
    area += (end - place(front[i].cost)) * front[i].quality / reference.quality;
  }
  return area / kAreaDoublings;
}

}  // namespace tersor
