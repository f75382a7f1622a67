#include "core/kernels/squared_error.h"

#include <algorithm>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/squared_error.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Values whose squares are added in float: no sum has more than a few dozen terms a lane.
constexpr int64_t kFew = 256;
// Between these, sums of squares lose nothing to the range of floats.
constexpr double kLeast = 1e-24, kMost = 1e36;

SquareSums SumFew(const float* values, const float* others, int64_t count) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = hn::Lanes(d);
  auto error_sum = hn::Zero(d), energy_sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(d, values + i), error = hn::Sub(hn::LoadU(d, others + i), value);
    error_sum = hn::MulAdd(error, error, error_sum);
    energy_sum = hn::MulAdd(value, value, energy_sum);
  }
  SquareSums sums = {hn::GetLane(hn::SumOfLanes(d, error_sum)), hn::GetLane(hn::SumOfLanes(d, energy_sum))};
  for (; i < count; ++i) {
    const float error = others[i] - values[i];
    sums.error += error * error;
    sums.energy += values[i] * values[i];
  }
  return sums;
}

SquareSums SumFewInDouble(const float* values, const float* others, int64_t count) {
  SquareSums sums;
  for (int64_t i = 0; i < count; ++i) {
    const double value = values[i], error = others[i] - value;
    sums.error += error * error;
    sums.energy += value * value;
  }
  return sums;
}

void AddSquares(const float* values, const float* others, int64_t count, SquareSums& sums) {
  for (int64_t first = 0; first < count; first += kFew) {
    const int64_t few = std::min(count - first, kFew);
    SquareSums some = SumFew(values + first, others + first, few);
    // Not so for NaN.
    const bool held = some.energy >= kLeast && some.energy <= kMost && some.error <= kMost;
    if (!held) some = SumFewInDouble(values + first, others + first, few);
    sums.error += some.error;
    sums.energy += some.energy;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(AddSquares);

SquareSums SumSquares(const float* values, const float* others, int64_t count) {
  LimitTargets();
  SquareSums sums;
  HWY_DYNAMIC_DISPATCH(AddSquares)(values, others, count, sums);
  return sums;
}

}  // namespace tersor
#endif  // HWY_ONCE
