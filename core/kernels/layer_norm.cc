#include "core/kernels/layer_norm.h"

#include <cmath>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/layer_norm.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;

float SumOf(const float* x, int64_t width) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= width; i += lanes) sum = hn::Add(sum, hn::LoadU(d, x + i));
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < width; ++i) total += x[i];
  return total;
}

float SumOfSquaredDeviations(const float* x, int64_t width, float mean) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const auto means = hn::Set(d, mean);
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= width; i += lanes) {
    const auto deviation = hn::Sub(hn::LoadU(d, x + i), means);
    sum = hn::MulAdd(deviation, deviation, sum);
  }
  float total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < width; ++i) total += (x[i] - mean) * (x[i] - mean);
  return total;
}

void LayerNormRows(const float* x, int64_t x_stride, int64_t rows, int64_t width, const float* weight,
                   const float* bias, float epsilon, float* y, int64_t y_stride) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  for (int64_t row = 0; row < rows; ++row, x += x_stride, y += y_stride) {
    const float mean = SumOf(x, width) / static_cast<float>(width);
    const float variance = SumOfSquaredDeviations(x, width, mean) / static_cast<float>(width);
    const float scale = 1.0f / std::sqrt(variance + epsilon);
    const auto means = hn::Set(d, mean);
    const auto scales = hn::Set(d, scale);
    int64_t i = 0;
    for (; i + lanes <= width; i += lanes) {
      const auto normed = hn::Mul(hn::Sub(hn::LoadU(d, x + i), means), scales);
      hn::StoreU(hn::MulAdd(normed, hn::LoadU(d, weight + i), hn::LoadU(d, bias + i)), d, y + i);
    }
    for (; i < width; ++i) y[i] = (x[i] - mean) * scale * weight[i] + bias[i];
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(LayerNormRows);

void LayerNorm(const float* x, int64_t x_stride, int64_t rows, int64_t width, const float* weight, const float* bias,
               float epsilon, float* y, int64_t y_stride) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(LayerNormRows)(x, x_stride, rows, width, weight, bias, epsilon, y, y_stride);
}

}  // namespace tersor
#endif  // HWY_ONCE
