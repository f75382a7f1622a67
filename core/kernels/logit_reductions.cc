#include "core/kernels/logit_reductions.h"

#include <cmath>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/logit_reductions.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h: it is compiled once per target.
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using DDouble = hn::ScalableTag<double>;
using VDouble = hn::Vec<DDouble>;

template <class V>
HWY_INLINE VDouble AddToDoubles(V floats, VDouble sum) {
  const DDouble dd;
#if HWY_TARGET == HWY_SCALAR
  return hn::Add(sum, hn::PromoteTo(dd, floats));
#else
  const hn::Half<D> half;
  sum = hn::Add(sum, hn::PromoteTo(dd, hn::LowerHalf(half, floats)));
  return hn::Add(sum, hn::PromoteTo(dd, hn::UpperHalf(half, floats)));
#endif
}

float Largest(const float* x, int64_t count) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  float largest = x[0];
  int64_t i = 0;
  if (count >= lanes) {
    auto best = hn::LoadU(d, x);
    for (i = lanes; i + lanes <= count; i += lanes) best = hn::Max(best, hn::LoadU(d, x + i));
    largest = hn::GetLane(hn::MaxOfLanes(d, best));
  }
  for (; i < count; ++i) largest = std::fmax(largest, x[i]);
  return largest;
}

LogitStats Reduce(const float* x, int64_t count, int64_t first) {
  const D d;
  const DDouble dd;
  const int64_t lanes = hn::Lanes(d);
  LogitStats stats;
  stats.largest = Largest(x, count);
  int64_t at = 0;
  while (at + 1 < count && x[at] != stats.largest) ++at;
  stats.argmax = first + at;
  const auto largest = hn::Set(d, stats.largest);
  auto sum = hn::Zero(dd);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    sum = AddToDoubles(hn::Exp(d, hn::Sub(hn::LoadU(d, x + i), largest)), sum);
  }
  stats.sum_exp = hn::GetLane(hn::SumOfLanes(dd, sum));
  for (; i < count; ++i) stats.sum_exp += std::exp(x[i] - stats.largest);
  return stats;
}

DivergenceStats ReducePair(const float* dense, const float* other, int64_t count, int64_t first) {
  const D d;
  const DDouble dd;
  const int64_t lanes = hn::Lanes(d);
  DivergenceStats stats;
  stats.dense = Reduce(dense, count, first);
  stats.other = Reduce(other, count, first);
  const auto largest = hn::Set(d, stats.dense.largest);
  auto sum = hn::Zero(dd);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto a = hn::LoadU(d, dense + i);
    const auto weight = hn::Exp(d, hn::Sub(a, largest));
    sum = AddToDoubles(hn::Mul(weight, hn::Sub(a, hn::LoadU(d, other + i))), sum);
  }
  stats.weighted_difference = hn::GetLane(hn::SumOfLanes(dd, sum));
  for (; i < count; ++i) {
    stats.weighted_difference += std::exp(dense[i] - stats.dense.largest) * (dense[i] - other[i]);
  }
  return stats;
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {
namespace {

// exp(part - whole) for `part` <= `whole`, 0 for a part without logits.
double Rescale(float part, float whole) { return part == whole ? 1.0 : std::exp(static_cast<double>(part) - whole); }

}  // namespace

HWY_EXPORT(Reduce);
HWY_EXPORT(ReducePair);

void LogitStats::Append(const LogitStats& next) {
  if (next.argmax < 0) return;
  const float whole = argmax < 0 ? next.largest : std::fmax(largest, next.largest);
  sum_exp = (argmax < 0 ? 0 : sum_exp * Rescale(largest, whole)) + next.sum_exp * Rescale(next.largest, whole);
  if (argmax < 0 || next.largest > largest) argmax = next.argmax;
  largest = whole;
}

double LogitStats::LogSumExp() const { return static_cast<double>(largest) + std::log(sum_exp); }

void DivergenceStats::Append(const DivergenceStats& next) {
  if (next.dense.argmax < 0) return;
  const bool empty = dense.argmax < 0;
  const float before = dense.largest;
  dense.Append(next.dense);
  other.Append(next.other);
  weighted_difference = (empty ? 0 : weighted_difference * Rescale(before, dense.largest)) +
                        next.weighted_difference * Rescale(next.dense.largest, dense.largest);
}

double DivergenceStats::Divergence() const {
  return weighted_difference / dense.sum_exp - dense.LogSumExp() + other.LogSumExp();
}

LogitStats ReduceLogits(const float* logits, int64_t count, int64_t first) {
  LimitTargets();
  return count <= 0 ? LogitStats() : HWY_DYNAMIC_DISPATCH(Reduce)(logits, count, first);
}

DivergenceStats ReduceLogitPair(const float* dense, const float* other, int64_t count, int64_t first) {
  LimitTargets();
  return count <= 0 ? DivergenceStats() : HWY_DYNAMIC_DISPATCH(ReducePair)(dense, other, count, first);
}

}  // namespace tersor
#endif  // HWY_ONCE
