#include "core/evaluate/metrics/correlation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <vector>

namespace tersor {
namespace {

// Ranks from 1; equal values share the mean of theirs.
std::vector<double> Ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t i = 0, j = 0; i < order.size(); i = j) {
    while (j < order.size() && values[order[j]] == values[order[i]]) ++j;
    for (size_t k = i; k < j; ++k) ranks[order[k]] = (i + 1 + j) / 2.0;
  }
  return ranks;
}

double Mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

double MatthewsCorrelation(std::span<const double> predictions, std::span<const double> golds) {
  std::map<double, double> predicted, wanted;
  double right = 0;
  const double all = static_cast<double>(golds.size());
  for (size_t i = 0; i < golds.size(); ++i) {
    ++predicted[predictions[i]];
    ++wanted[golds[i]];
    right += predictions[i] == golds[i];
  }
  double both = 0, predicted_squares = 0, wanted_squares = 0;
  for (const auto& [value, count] : predicted) {
    predicted_squares += count * count;
    if (const auto found = wanted.find(value); found != wanted.end()) both += count * found->second;
  }
  for (const auto& [value, count] : wanted) wanted_squares += count * count;
  const double scale = (all * all - predicted_squares) * (all * all - wanted_squares);
  return scale > 0 ? (right * all - both) / std::sqrt(scale) : 0;
}

double ClassF1(std::span<const double> predictions, std::span<const double> golds, int positive) {
  double both = 0, either = 0;
  for (size_t i = 0; i < golds.size(); ++i) {
    both += predictions[i] == positive && golds[i] == positive;
    either += (predictions[i] == positive) + (golds[i] == positive);
  }
  return either > 0 ? 2 * both / either : 0;
}

double MacroF1(std::span<const double> predictions, std::span<const double> golds) {
  std::set<double> classes(predictions.begin(), predictions.end());
  classes.insert(golds.begin(), golds.end());
  double sum = 0;
  for (const double one : classes) sum += ClassF1(predictions, golds, static_cast<int>(one));
  return classes.empty() ? 0 : sum / static_cast<double>(classes.size());
}

double PearsonCorrelation(std::span<const double> predictions, std::span<const double> golds) {
  if (golds.size() < 2) return 0;
  const double x_mean = Mean(predictions), y_mean = Mean(golds);
  double xy = 0, xx = 0, yy = 0;
  for (size_t i = 0; i < golds.size(); ++i) {
    const double x = predictions[i] - x_mean, y = golds[i] - y_mean;
    xy += x * y;
    xx += x * x;
    yy += y * y;
  }
  return xx > 0 && yy > 0 ? std::clamp(xy / std::sqrt(xx * yy), -1.0, 1.0) : 0;
}

double SpearmanCorrelation(std::span<const double> predictions, std::span<const double> golds) {
  return PearsonCorrelation(Ranks(predictions), Ranks(golds));
}

}  // namespace tersor
