#include "core/kernels/norm_gradients.h"

#include <array>
#include <cmath>

namespace tersor {
namespace {

// Sums run in lanes, which the compiler turns into vectors; their order is fixed.
constexpr int64_t kLanes = 8;

template <typename Term>
double SumOf(int64_t count, const Term& term) {
  std::array<double, kLanes> sums = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += term(i + lane);
  }
  for (; i < count; ++i) sums[0] += term(i);
  double sum = 0;
  for (const double part : sums) sum += part;
  return sum;
}

// The row is factor * (x - mean).
struct NormedRow {
  float mean = 0;
  float factor = 0;
};

NormedRow DescribeRow(const NormShape& norm, const float* x) {
  const double width = static_cast<double>(norm.width);
  const double mean = norm.centered ? SumOf(norm.width, [&](int64_t i) { return double{x[i]}; }) / width : 0;
  const double squares = SumOf(norm.width, [&](int64_t i) { return (x[i] - mean) * (x[i] - mean); });
  return {static_cast<float>(mean), static_cast<float>(1 / std::sqrt(squares / width + norm.epsilon))};
}

}  // namespace

void BackpropagateNorm(const NormShape& norm, const float* x, const float* weight, const float* gradient, int64_t rows,
                       bool accumulate, float* x_gradient) {
  const int64_t width = norm.width;
  for (int64_t row = 0; row < rows; ++row, x += width, gradient += width, x_gradient += width) {
    const auto [mean, factor] = DescribeRow(norm, x);
    const auto g = [&](int64_t i) { return double{gradient[i] * weight[i]}; };
    const float gradient_mean = norm.centered ? static_cast<float>(SumOf(width, g) / static_cast<double>(width)) : 0.0f;
    const double along = SumOf(width, [&](int64_t i) { return g(i) * (x[i] - mean); });
    const float slope = static_cast<float>(along * factor * factor / static_cast<double>(width));
    for (int64_t i = 0; i < width; ++i) {
      const float value = factor * (gradient[i] * weight[i] - gradient_mean - (x[i] - mean) * slope);
      x_gradient[i] = accumulate ? x_gradient[i] + value : value;
    }
  }
}

void AddNormWeightGradient(const NormShape& norm, const float* x, const float* gradient, int64_t rows,
                           float* weight_gradient, float* bias_gradient) {
  const int64_t width = norm.width;
  for (int64_t row = 0; row < rows; ++row, x += width, gradient += width) {
    const auto [mean, factor] = DescribeRow(norm, x);
    for (int64_t i = 0; i < width; ++i) weight_gradient[i] += gradient[i] * ((x[i] - mean) * factor);
    for (int64_t i = 0; bias_gradient != nullptr && i < width; ++i) bias_gradient[i] += gradient[i];
  }
}

}  // namespace tersor
