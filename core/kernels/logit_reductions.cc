#include "core/kernels/logit_reductions.h"

#include <algorithm>
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

// Sum of floats in double, lower and upper halves of vectors apart.
class DoubleSum {
 public:
  HWY_INLINE DoubleSum() : lower_(hn::Zero(DDouble())), upper_(lower_) {}
  HWY_INLINE void Add(hn::Vec<D> floats) {
    const DDouble dd;
#if HWY_TARGET == HWY_SCALAR
    lower_ = hn::Add(lower_, hn::PromoteTo(dd, floats));
#else
    const hn::Half<D> half;
    lower_ = hn::Add(lower_, hn::PromoteTo(dd, hn::LowerHalf(half, floats)));
    upper_ = hn::Add(upper_, hn::PromoteTo(dd, hn::UpperHalf(half, floats)));
#endif
  }
  HWY_INLINE double Total() const { return hn::GetLane(hn::SumOfLanes(DDouble(), hn::Add(lower_, upper_))); }

 private:
  hn::Vec<DDouble> lower_, upper_;
};

float Largest(const float* x, int64_t count) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  float largest = x[0];
  int64_t i = 0;
  if (count >= 4 * lanes) {
    auto a = hn::LoadU(d, x), b = a, c = a, e = a;
    for (; i + 4 * lanes <= count; i += 4 * lanes) {
      a = hn::Max(a, hn::LoadU(d, x + i));
      b = hn::Max(b, hn::LoadU(d, x + i + lanes));
      c = hn::Max(c, hn::LoadU(d, x + i + 2 * lanes));
      e = hn::Max(e, hn::LoadU(d, x + i + 3 * lanes));
    }
    largest = hn::GetLane(hn::MaxOfLanes(d, hn::Max(hn::Max(a, b), hn::Max(c, e))));
  }
  for (; i < count; ++i) largest = std::fmax(largest, x[i]);
  return largest;
}

// Index of the first `value`, or the last index where there is none (NaN among the logits).
int64_t FirstIndexOf(const float* x, int64_t count, float value) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const auto wanted = hn::Set(d, value);
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto equal = hn::Eq(hn::LoadU(d, x + i), wanted);
    if (!hn::AllFalse(d, equal)) return i + hn::FindFirstTrue(d, equal);
  }
  while (i + 1 < count && x[i] != value) ++i;
  return std::min(i, count - 1);
}

LogitStats Reduce(const float* x, int64_t count, int64_t first) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  LogitStats stats;
  stats.largest = Largest(x, count);
  stats.argmax = first + FirstIndexOf(x, count, stats.largest);
  const auto largest = hn::Set(d, stats.largest);
  DoubleSum sum;
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    // Of what is no number Exp would make 0, and a sum without it.
    const auto below = hn::Sub(hn::LoadU(d, x + i), largest);
    sum.Add(hn::IfThenElse(hn::IsNaN(below), below, hn::Exp(d, below)));
  }
  stats.sum_exp = sum.Total();
  for (; i < count; ++i) stats.sum_exp += std::exp(x[i] - stats.largest);
  return stats;
}

DivergenceStats ReducePair(const float* dense, const float* other, int64_t count, int64_t first) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  DivergenceStats stats;
  stats.dense = Reduce(dense, count, first);
  stats.other = Reduce(other, count, first);
  const auto largest = hn::Set(d, stats.dense.largest);
  DoubleSum sum;
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto a = hn::LoadU(d, dense + i);
    const auto weight = hn::Exp(d, hn::Sub(a, largest));
    sum.Add(hn::Mul(weight, hn::Sub(a, hn::LoadU(d, other + i))));
  }
  stats.weighted_difference = sum.Total();
  for (; i < count; ++i) {
    stats.weighted_difference += std::exp(dense[i] - stats.dense.largest) * (dense[i] - other[i]);
  }
  return stats;
}

// With d = log q - log p and l = log((1 + exp(-|d|)) / 2), the larger of p and q adds -l of itself, the smaller one
// -|d| - l of itself: no difference of large numbers, and nothing at all where d is 0.
template <class DF>
HWY_INLINE hn::Vec<DF> JensenShannonTerms(DF d, hn::Vec<DF> log_p, hn::Vec<DF> log_q) {
  const auto distance = hn::Abs(hn::Sub(log_q, log_p));
  const auto larger = hn::Exp(d, hn::Max(log_p, log_q)), smaller = hn::Exp(d, hn::Min(log_p, log_q));
  const auto half = hn::Mul(hn::Expm1(d, hn::Neg(distance)), hn::Set(d, 0.5f));
  return hn::Neg(hn::MulAdd(smaller, distance, hn::Mul(hn::Add(larger, smaller), hn::Log1p(d, half))));
}

double JensenShannon(const float* dense, float dense_log_sum, const float* other, float other_log_sum, int64_t count) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  const auto dense_sum = hn::Set(d, dense_log_sum), other_sum = hn::Set(d, other_log_sum);
  DoubleSum sum;
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    sum.Add(JensenShannonTerms(d, hn::Sub(hn::LoadU(d, dense + i), dense_sum),
                               hn::Sub(hn::LoadU(d, other + i), other_sum)));
  }
  double total = sum.Total();
  const hn::CappedTag<float, 1> one;
  for (; i < count; ++i) {
    total += hn::GetLane(
        JensenShannonTerms(one, hn::Set(one, dense[i] - dense_log_sum), hn::Set(one, other[i] - other_log_sum)));
  }
  return total / 2;
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
HWY_EXPORT(JensenShannon);

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

double JensenShannonPart(const float* dense, double dense_log_sum, const float* other, double other_log_sum,
                         int64_t count) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(JensenShannon)(dense, static_cast<float>(dense_log_sum), other,
                                             static_cast<float>(other_log_sum), count);
}

}  // namespace tersor
#endif  // HWY_ONCE
