#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "core/kernels/binary_fit.h"
#include "core/tensor/float16.h"

namespace tersor::reference {
namespace {

constexpr float kLargestF16 = 65504.0f;

float Sign(uint8_t code, int plane) { return (code >> plane) & 1 ? 1.0f : -1.0f; }

float ValueOf(uint8_t code, const std::vector<float>& scales) {
  float value = 0;
  for (size_t plane = 0; plane < scales.size(); ++plane) value += scales[plane] * Sign(code, static_cast<int>(plane));
  return value;
}

// Equation 2 of the paper's appendix: r_0 = w; b_i = sign(r_i), scale_i = mean |r_i|, r_i+1 = r_i - scale_i b_i.
BinaryCodes FitGreedily(std::span<const float> values, int planes) {
  BinaryCodes fit{std::vector<uint8_t>(values.size()), std::vector<float>(planes)};
  std::vector<float> rest(values.begin(), values.end());
  for (int plane = 0; plane < planes; ++plane) {
    double sum = 0;
    for (const float value : rest) sum += std::abs(value);
    const float scale = fit.scales[plane] = static_cast<float>(sum / static_cast<double>(rest.size()));
    for (size_t i = 0; i < rest.size(); ++i) {
      if (rest[i] >= 0) fit.codes[i] |= static_cast<uint8_t>(1u << plane);
      rest[i] -= rest[i] >= 0 ? scale : -scale;
    }
  }
  return fit;
}

// The scales with the least squared error for these codes, by Gaussian elimination on B^T B; false where the planes
// depend on each other.
bool SolveScales(std::span<const float> values, std::span<const float> importance, BinaryCodes& fit) {
  const int planes = static_cast<int>(fit.scales.size());
  std::array<std::array<double, kMostSignPlanes + 1>, kMostSignPlanes> system{};
  for (size_t i = 0; i < values.size(); ++i) {
    for (int a = 0; a < planes; ++a) {
      const double sign = importance[i] * Sign(fit.codes[i], a);
      for (int b = 0; b < planes; ++b) system[a][b] += sign * Sign(fit.codes[i], b);
      system[a][planes] += sign * values[i];
    }
  }
  for (int k = 0; k < planes; ++k) {
    int pivot = k;
    for (int row = k + 1; row < planes; ++row) {
      if (std::abs(system[row][k]) > std::abs(system[pivot][k])) pivot = row;
    }
    if (std::abs(system[pivot][k]) < 1e-6) return false;
    std::swap(system[k], system[pivot]);
    for (int row = 0; row < planes; ++row) {
      if (row == k) continue;
      const double factor = system[row][k] / system[k][k];
      for (int column = k; column <= planes; ++column) system[row][column] -= factor * system[k][column];
    }
  }
  for (int k = 0; k < planes; ++k) fit.scales[k] = static_cast<float>(system[k][planes] / system[k][k]);
  return true;
}

// The nearest of the 2^planes values for each weight; returns the squared error.
double ChooseCodes(std::span<const float> values, std::span<const float> importance, BinaryCodes& fit) {
  const int count = 1 << fit.scales.size();
  std::array<std::pair<float, uint8_t>, 1 << kMostSignPlanes> points;
  for (int code = 0; code < count; ++code) {
    points[code] = {ValueOf(static_cast<uint8_t>(code), fit.scales), static_cast<uint8_t>(code)};
  }
  std::sort(points.begin(), points.begin() + count);
  double error = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto above = std::lower_bound(points.begin() + 1, points.begin() + count - 1, values[i],
                                        [](const auto& point, float value) { return point.first < value; });
    const auto below = above - 1;
    const auto nearest = values[i] - below->first <= above->first - values[i] ? below : above;
    fit.codes[i] = nearest->second;
    const double difference = values[i] - nearest->first;
    error += importance[i] * difference * difference;
  }
  return error;
}

void RoundScales(BinaryCodes& fit) {
  for (float& scale : fit.scales) scale = F16ToFloat(FloatToF16(std::clamp(scale, -kLargestF16, kLargestF16)));
}

// Values that lie evenly between the largest magnitude and its opposite; without codes.
BinaryCodes StartEvenly(std::span<const float> values, int planes) {
  float largest = 0;
  for (const float value : values) largest = std::max(largest, std::abs(value));
  BinaryCodes fit{std::vector<uint8_t>(values.size()), std::vector<float>(planes)};
  const auto steps = static_cast<float>((1 << planes) - 1);
  for (int plane = 0; plane < planes; ++plane) {
    fit.scales[plane] = largest * (static_cast<float>(1 << (planes - 1 - plane)) / steps);
  }
  return fit;
}

// Alternates from the scales of `fit`, which becomes the best that was seen; returns its squared error.
double Alternate(std::span<const float> values, std::span<const float> importance, int rounds, BinaryCodes& fit) {
  RoundScales(fit);
  double least = ChooseCodes(values, importance, fit);
  BinaryCodes next = fit;
  for (int round = 0; round < rounds; ++round) {
    if (!SolveScales(values, importance, next)) break;
    RoundScales(next);
    const double error = ChooseCodes(values, importance, next);
    if (!(error < least)) break;
    least = error;
    fit = next;
  }
  return least;
}

}  // namespace

BinaryCodes FitBinaryCodes(std::span<const float> values, std::span<const float> importance, int planes, int rounds) {
  BinaryCodes greedy = FitGreedily(values, planes);
  // The greedy codes need not be the nearest.
  if (rounds == 0) {
    RoundScales(greedy);
    return greedy;
  }
  BinaryCodes even = StartEvenly(values, planes);
  const double from_greedy = Alternate(values, importance, rounds, greedy);
  const double from_even = Alternate(values, importance, rounds, even);
  return from_even < from_greedy ? even : greedy;
}

}  // namespace tersor::reference
