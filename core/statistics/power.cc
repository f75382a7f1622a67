#include "core/statistics/power.h"

#include <algorithm>
#include <cmath>

#include "core/statistics/distributions.h"

namespace tersor {
namespace {

constexpr double kMostItems = 1e15;

int64_t Rounded(double items) { return static_cast<int64_t>(std::clamp(std::ceil(items - 1e-9), 1.0, kMostItems)); }

}  // namespace

int64_t ItemsNeeded(double drop, const PowerQuestion& question) {
  // A drop of d changes at least a share d of the items.
  const double flips = std::max(question.flips, drop);
  const double reach = TwoSidedNormal(question.confidence) * std::sqrt(flips) +
                       NormalQuantile(question.power) * std::sqrt(flips - drop * drop);
  return Rounded(reach * reach / (drop * drop));
}

double DetectableDrop(int64_t items, const PowerQuestion& question) {
  double low = 0, high = 1;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (ItemsNeeded(middle, question) <= items ? high : low) = middle;
  }
  return high;
}

double DecisionProbability(int64_t items, double margin, const PowerQuestion& question) {
  const double flips = std::max(question.flips, std::abs(margin));
  const double reach =
      std::abs(margin) * std::sqrt(static_cast<double>(items)) - TwoSidedNormal(question.confidence) * std::sqrt(flips);
  return NormalCdf(reach / std::sqrt(flips - margin * margin));
}

double DetectableDifference(int64_t units, double deviation, double confidence, double power) {
  return (TwoSidedNormal(confidence) + NormalQuantile(power)) * deviation /
         std::sqrt(static_cast<double>(std::max<int64_t>(units, 1)));
}

int64_t UnitsNeeded(double difference, double deviation, double confidence, double power) {
  const double reach = (TwoSidedNormal(confidence) + NormalQuantile(power)) * deviation / difference;
  return Rounded(reach * reach);
}

}  // namespace tersor
