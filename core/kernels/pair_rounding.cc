#include "core/kernels/pair_rounding.h"

#include <algorithm>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/pair_rounding.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

class PairErrors {
 public:
  PairErrors(float scale, const PairGrid& grid)
      : scale_(hn::Set(D(), scale)),
        inverse_(hn::Set(D(), 1 / scale)),
        ordinary_(hn::Set(D(), grid.largest_ordinary)),
        threshold_(hn::Set(D(), grid.threshold)),
        least_(hn::Set(D(), grid.least_outlier)),
        largest_(hn::Set(D(), grid.largest_outlier)),
        // Cutting the low bits off a float with this added to its bits rounds it to the nearest, ties to the lower.
        below_half_(hn::Set(Bits(), (1u << (22 - grid.mantissa_bits)) - 1)),
        kept_(hn::Set(Bits(), ~0u << (23 - grid.mantissa_bits))) {}

  // Squared differences of pairs (first, second).
  HWY_INLINE V Squares(V first, V second) const {
    const D d;
    const V a = hn::Abs(hn::Mul(first, inverse_)), b = hn::Abs(hn::Mul(second, inverse_));
    const auto second_larger = hn::Gt(b, a);
    const V larger = hn::IfThenElse(second_larger, b, a), smaller = hn::IfThenElse(second_larger, a, b);
    const V large = hn::Abs(hn::IfThenElse(second_larger, second, first));
    const V small = hn::Abs(hn::IfThenElse(second_larger, first, second));
    const auto outlier = hn::Gt(larger, threshold_);
    const V clamped = hn::Min(hn::Max(larger, least_), largest_);
    const auto bits = hn::And(hn::Add(hn::BitCast(Bits(), clamped), below_half_), kept_);
    const V large_value = hn::IfThenElse(outlier, hn::BitCast(d, bits), Ordinary(larger));
    const V small_value = hn::IfThenZeroElse(outlier, Ordinary(smaller));
    const V large_miss = hn::NegMulAdd(large_value, scale_, large);
    const V small_miss = hn::NegMulAdd(small_value, scale_, small);
    return hn::MulAdd(large_miss, large_miss, hn::Mul(small_miss, small_miss));
  }

 private:
  using Bits = hn::RebindToUnsigned<D>;

  HWY_INLINE V Ordinary(V magnitude) const { return hn::Round(hn::Min(magnitude, ordinary_)); }

  const V scale_, inverse_, ordinary_, threshold_, least_, largest_;
  const hn::Vec<Bits> below_half_, kept_;
};

double PairRoundingError(const float* values, int64_t count, float scale, const PairGrid& grid) {
  // So many vectors are summed in float.
  constexpr int64_t kTogether = 32;
  const D d;
  const int64_t lanes = hn::Lanes(d), step = 2 * lanes;
  const PairErrors errors(scale, grid);
  double total = 0;
  int64_t i = 0;
  while (i + step <= count) {
    V sum = hn::Zero(d);
    for (int64_t n = 0; n < kTogether && i + step <= count; ++n, i += step) {
      V first, second;
      hn::LoadInterleaved2(d, values + i, first, second);
      sum = hn::Add(sum, errors.Squares(first, second));
    }
    total += hn::GetLane(hn::SumOfLanes(d, sum));
  }
  if (i == count) return total;
  HWY_ALIGN float rest[2 * hn::MaxLanes(D())] = {};
  std::copy(values + i, values + count, rest);
  V first, second;
  hn::LoadInterleaved2(d, rest, first, second);
  return total + hn::GetLane(hn::SumOfLanes(d, errors.Squares(first, second)));
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(PairRoundingError);

double PairRoundingError(const float* values, int64_t count, float scale, const PairGrid& grid) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(PairRoundingError)(values, count, scale, grid);
}

}  // namespace tersor
#endif  // HWY_ONCE
