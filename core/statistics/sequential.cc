#include "core/statistics/sequential.h"

#include <algorithm>
#include <cmath>

#include "core/statistics/distributions.h"

namespace tersor {
namespace {

// Beyond this a normal variable does not come.
constexpr double kFarthest = 8;
// Simpson's rule needs an even number of steps.
constexpr int kSteps = 400;

// The density of the sum of the data at one look, of the paths that have not left the boundaries before, on an even
// grid over the continuation region (Armitage, McPherson and Rowe, JRSS A 132, 1969).
struct Density {
  double reach = 0;
  std::vector<double> values;

  double step() const { return 2 * reach / kSteps; }
  double point(int i) const { return -reach + i * step(); }
};

template <typename Function>
double Integrate(const Density& density, const Function& weight) {
  double sum = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double factor = i == 0 || i == kSteps ? 1 : i % 2 == 1 ? 4 : 2;
    sum += factor * density.values[i] * weight(density.point(i));
  }
  return sum * density.step() / 3;
}

// The probability to be beyond +-bound after an increment of standard deviation `deviation`.
double ExitProbability(const Density& density, double bound, double deviation) {
  return Integrate(density,
                   [&](double u) { return NormalCdf((-bound - u) / deviation) + NormalCdf((u - bound) / deviation); });
}

Density Advance(const Density& density, double bound, double deviation) {
  Density next;
  next.reach = bound;
  next.values.resize(kSteps + 1);
  for (int i = 0; i <= kSteps; ++i) {
    const double s = next.point(i);
    next.values[i] = Integrate(density, [&](double u) { return NormalDensity((s - u) / deviation) / deviation; });
  }
  return next;
}

double SolveBound(const Density& density, double deviation, double error, double most) {
  double low = 0, high = most;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (ExitProbability(density, middle, deviation) > error ? low : high) = middle;
  }
  return (low + high) / 2;
}

Density FirstDensity(double bound, double deviation) {
  Density density;
  density.reach = bound;
  density.values.resize(kSteps + 1);
  for (int i = 0; i <= kSteps; ++i) density.values[i] = NormalDensity(density.point(i) / deviation) / deviation;
  return density;
}

}  // namespace

double SpentError(Spending spending, double alpha, double share) {
  share = std::clamp(share, 0.0, 1.0);
  if (share == 0) return 0;
  if (spending == Spending::kPocock) return alpha * std::log1p((M_E - 1) * share);
  return 4 * NormalCdf(NormalQuantile(alpha / 4) / std::sqrt(share));
}

std::vector<double> SpendingBoundaries(std::span<const double> shares, double alpha, Spending spending) {
  std::vector<double> boundaries;
  Density density;
  double spent = 0, before = 0;
  for (const double share : shares) {
    const double may_spend = SpentError(spending, alpha, share);
    const double error = std::max(0.0, may_spend - spent), scale = std::sqrt(share);
    const double deviation = std::sqrt(share - before);
    double bound = 0;
    if (boundaries.empty()) {
      bound = std::min(kFarthest, -NormalQuantile(error / 2)) * scale;
      density = FirstDensity(bound, deviation);
    } else {
      bound = SolveBound(density, deviation, error, kFarthest * scale);
      density = Advance(density, bound, deviation);
    }
    boundaries.push_back(bound / scale);
    spent = may_spend;
    before = share;
  }
  return boundaries;
}

double RepeatedConfidence(std::span<const double> shares, double confidence, Spending spending) {
  if (shares.empty()) return confidence;
  return 1 - 2 * NormalCdf(-SpendingBoundaries(shares, 1 - confidence, spending).back());
}

std::vector<int64_t> DoublingLooks(int64_t first, int64_t available) {
  std::vector<int64_t> looks;
  first = std::max<int64_t>(first, 1);
  if (first < available) looks.push_back(first);
  // The last step is no shorter than the one before it.
  for (int64_t items = 2 * first; items <= available / 2; items *= 2) looks.push_back(items);
  looks.push_back(available);
  return looks;
}

}  // namespace tersor
