#include "core/kernels/input_rounding.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/input_rounding.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
using VI = hn::Vec<DI>;

constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(D()));

// The first `lanes` floats, the others 0.
HWY_INLINE V LoadSome(const float* x, int64_t lanes) {
  const D d;
  if (lanes == kLanes) return hn::LoadU(d, x);
  HWY_ALIGN float values[kLanes] = {};
  std::copy_n(x, lanes, values);
  return hn::Load(d, values);
}

HWY_INLINE void StoreSome(V values, float* out, int64_t lanes) {
  const D d;
  if (lanes == kLanes) return hn::StoreU(values, d, out);
  HWY_ALIGN float all[kLanes];
  hn::Store(values, d, all);
  std::copy_n(all, lanes, out);
}

float InputMagnitude(const float* x, int64_t count) {
  const D d;
  V largest = hn::Zero(d);
  for (int64_t i = 0; i < count; i += kLanes) {
    largest = hn::Max(largest, hn::Abs(LoadSome(x + i, std::min(kLanes, count - i))));
  }
  return hn::GetLane(hn::MaxOfLanes(d, largest));
}

InputRange InputRangeOf(const float* x, int64_t count) {
  const D d;
  V low = hn::Zero(d), high = low;
  for (int64_t i = 0; i < count; i += kLanes) {
    const V values = LoadSome(x + i, std::min(kLanes, count - i));
    low = hn::Min(low, values);
    high = hn::Max(high, values);
  }
  return {hn::GetLane(hn::MinOfLanes(d, low)), hn::GetLane(hn::MaxOfLanes(d, high))};
}

void InputDifference(const float* x, const float* y, int64_t count, float* out) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t lanes = std::min(kLanes, count - i);
    StoreSome(hn::Sub(LoadSome(x + i, lanes), LoadSome(y + i, lanes)), out + i, lanes);
  }
}

void InputSum(const float* y, int64_t count, float* x) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t lanes = std::min(kLanes, count - i);
    StoreSome(hn::Add(LoadSome(x + i, lanes), LoadSome(y + i, lanes)), x + i, lanes);
  }
}

int64_t InputOutliers(const float* x, int64_t count, float threshold, float* rest, InputOutlier* outliers) {
  const D d;
  const V least = hn::Set(d, threshold);
  int64_t found = 0;
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t lanes = std::min(kLanes, count - i);
    const V values = LoadSome(x + i, lanes);
    // Written so that NaN is an outlier.
    const auto within = hn::Lt(hn::Abs(values), least);
    for (int64_t k = i; !hn::AllTrue(d, within) && k < i + lanes; ++k) {
      if (!(std::abs(x[k]) < threshold)) outliers[found++] = {k, x[k]};
    }
    StoreSome(hn::IfThenElseZero(within, values), rest + i, lanes);
  }
  return found;
}

int32_t InputCodes(const float* x, int64_t count, float inverse, InputRange within, int zero, uint8_t flip,
                   int8_t* codes) {
  const D d;
  const DI di;
  const hn::Rebind<int8_t, D> narrow;
  const V factor = hn::Set(d, inverse), low = hn::Set(d, within.low), high = hn::Set(d, within.high);
  const VI zeros = hn::Set(di, zero);
  const auto flips = hn::Set(narrow, static_cast<int8_t>(flip));
  VI sum = hn::Zero(di);
  int64_t i = 0;
  const auto round = [&](V values) {
    return hn::Add(hn::NearestInt(hn::Min(hn::Max(hn::Mul(values, factor), low), high)), zeros);
  };
  for (; i + kLanes <= count; i += kLanes) {
    const VI rounded = round(hn::LoadU(d, x + i));
    sum = hn::Add(sum, rounded);
    hn::StoreU(hn::Xor(hn::DemoteTo(narrow, rounded), flips), narrow, codes + i);
  }
  int32_t total = hn::GetLane(hn::SumOfLanes(di, sum));
  if (i == count) return total;
  HWY_ALIGN int32_t last[kLanes];
  hn::Store(round(LoadSome(x + i, count - i)), di, last);
  for (int64_t k = 0; i + k < count; ++k) {
    total += last[k];
    codes[i + k] = static_cast<int8_t>(last[k] ^ flip);
  }
  return total;
}

void InputsOfCodes(const int8_t* codes, int64_t count, int zero, float scale, float* out) {
  const D d;
  const DI di;
  const hn::Rebind<int8_t, D> narrow;
  const V factor = hn::Set(d, scale);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const VI code = hn::Sub(hn::PromoteTo(di, hn::LoadU(narrow, codes + i)), hn::Set(di, zero));
    hn::StoreU(hn::Mul(hn::ConvertTo(d, code), factor), d, out + i);
  }
  for (; i < count; ++i) out[i] = static_cast<float>(codes[i] - zero) * scale;
}

// 2^(exponent of |x|, at least `least`, - bits): what numbers of so many mantissa bits are multiples of there.
HWY_INLINE V Step(V x, int least, int bits) {
  const DI di;
  const VI exponent = hn::ShiftRight<23>(hn::BitCast(di, hn::Abs(x)));
  const VI held = hn::Max(exponent, hn::Set(di, least + 127));
  return hn::BitCast(D(), hn::ShiftLeft<23>(hn::Sub(held, hn::Set(di, bits))));
}

void InputMinifloats(const float* x, int64_t count, float inverse, float scale, const MinifloatGrid& grid, float* out) {
  const D d;
  const V factor = hn::Set(d, inverse), back = hn::Set(d, scale), largest = hn::Set(d, grid.largest);
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t lanes = std::min(kLanes, count - i);
    const V value = hn::Mul(LoadSome(x + i, lanes), factor);
    // Adding 1.5 * 2^23 steps leaves whole steps, ties to even.
    const V bias = hn::Mul(Step(value, grid.least_exponent, grid.mantissa_bits), hn::Set(d, 12582912.0f));
    const V rounded = hn::Sub(hn::Add(value, bias), bias);
    StoreSome(hn::Mul(hn::Min(hn::Max(rounded, hn::Neg(largest)), largest), back), out + i, lanes);
  }
}

// Values of pairs whose other halves have the magnitudes `other`; `first`: of a pair.
template <typename Mask>
HWY_INLINE V PairValues(V value, V other, Mask first, const PairGrid& grid) {
  const D d;
  const V largest = hn::Set(d, grid.largest_ordinary), size = hn::Abs(value);
  const V threshold = hn::Set(d, (grid.largest_ordinary + grid.least_outlier) / 2);
  const V ordinary = hn::Round(hn::Min(hn::Max(value, hn::Neg(largest)), largest));
  const auto outliers = hn::Gt(hn::Max(size, other), threshold);
  // Most vectors have none.
  if (hn::AllFalse(d, outliers)) return ordinary;
  // Of two equal ones the first counts as the larger.
  const auto larger = hn::Or(hn::Gt(size, other), hn::And(first, hn::Eq(size, other)));
  // To the nearest, ties to the smaller.
  const V step = Step(size, std::ilogb(grid.least_outlier), grid.mantissa_bits);
  const V steps = hn::Ceil(hn::Sub(hn::Div(size, step), hn::Set(d, 0.5f)));
  const V held =
      hn::Min(hn::Max(hn::Mul(steps, step), hn::Set(d, grid.least_outlier)), hn::Set(d, grid.largest_outlier));
  const V outlier = hn::IfThenElseZero(larger, hn::CopySign(held, value));
  return hn::IfThenElse(outliers, outlier, ordinary);
}

void InputPairs(const float* x, int64_t count, float inverse, float scale, const PairGrid& grid, float* out) {
  const D d;
  const V factor = hn::Set(d, inverse), back = hn::Set(d, scale);
#if HWY_TARGET == HWY_SCALAR
  for (int64_t i = 0; i < count; i += 2) {
    const V a = hn::Mul(hn::Set(d, x[i]), factor), b = hn::Mul(hn::Set(d, x[i + 1]), factor), zero = hn::Zero(d);
    out[i] = hn::GetLane(hn::Mul(PairValues(a, hn::Abs(b), hn::Eq(zero, zero), grid), back));
    out[i + 1] = hn::GetLane(hn::Mul(PairValues(b, hn::Abs(a), hn::Ne(zero, zero), grid), back));
  }
#else
  const auto first = hn::RebindMask(d, hn::Eq(hn::And(hn::Iota(DI(), 0), hn::Set(DI(), 1)), hn::Zero(DI())));
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t lanes = std::min(kLanes, count - i);
    const V value = hn::Mul(LoadSome(x + i, lanes), factor);
    StoreSome(hn::Mul(PairValues(value, hn::Shuffle2301(hn::Abs(value)), first, grid), back), out + i, lanes);
  }
#endif
}

void InputGridValues(const float* x, int64_t count, const InputGrids& grids, float* out) {
  const D d;
  const V last = hn::Set(d, grids.last);
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t lanes = std::min(kLanes, count - i);
    const V zero = LoadSome(grids.zero_points + i, lanes);
    const V steps = hn::Round(hn::Mul(LoadSome(x + i, lanes), LoadSome(grids.inverses + i, lanes)));
    const V code = hn::Min(hn::Max(hn::Add(steps, zero), hn::Zero(d)), last);
    StoreSome(hn::Mul(hn::Sub(code, zero), LoadSome(grids.scales + i, lanes)), out + i, lanes);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(InputMagnitude);
HWY_EXPORT(InputRangeOf);
HWY_EXPORT(InputDifference);
HWY_EXPORT(InputSum);
HWY_EXPORT(InputOutliers);
HWY_EXPORT(InputCodes);
HWY_EXPORT(InputsOfCodes);
HWY_EXPORT(InputMinifloats);
HWY_EXPORT(InputPairs);
HWY_EXPORT(InputGridValues);

float LargestMagnitude(const float* x, int64_t count) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(InputMagnitude)(x, count);
}

InputRange RangeOf(const float* x, int64_t count) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(InputRangeOf)(x, count);
}

void Subtract(const float* x, const float* y, int64_t count, float* out) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(InputDifference)(x, y, count, out);
}

void AddTo(const float* y, int64_t count, float* x) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(InputSum)(y, count, x);
}

int64_t TakeOutliers(const float* x, int64_t count, float threshold, float* rest, InputOutlier* outliers) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(InputOutliers)(x, count, threshold, rest, outliers);
}

int32_t RoundToCodes(const float* x, int64_t count, float inverse, InputRange within, int zero, uint8_t flip,
                     int8_t* codes) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(InputCodes)(x, count, inverse, within, zero, flip, codes);
}

void DecodeCodes(const int8_t* codes, int64_t count, int zero, float scale, float* out) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(InputsOfCodes)(codes, count, zero, scale, out);
}

void RoundToMinifloat(const float* x, int64_t count, float inverse, float scale, const MinifloatGrid& grid,
                      float* out) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(InputMinifloats)(x, count, inverse, scale, grid, out);
}

void RoundToPairs(const float* x, int64_t count, float inverse, float scale, const PairGrid& grid, float* out) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(InputPairs)(x, count, inverse, scale, grid, out);
}

void RoundToGrids(const float* x, int64_t count, const InputGrids& grids, float* out) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(InputGridValues)(x, count, grids, out);
}

}  // namespace tersor
#endif  // HWY_ONCE
