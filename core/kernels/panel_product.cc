#include "core/kernels/panel_product.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/panel_product.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using DBits = hn::RebindToUnsigned<D>;
using V = hn::Vec<D>;

template <int kVectors>
HWY_INLINE void FloatStrip(const float* panel, int64_t depth, int64_t width, const float* x, float* y) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  V sums[kVectors];
  for (int v = 0; v < kVectors; ++v) sums[v] = hn::Zero(d);
  for (int64_t k = 0; k < depth; ++k, panel += width) {
    const V factor = hn::Set(d, x[k]);
    for (int v = 0; v < kVectors; ++v) sums[v] = hn::MulAdd(factor, hn::LoadU(d, panel + v * lanes), sums[v]);
  }
  for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[v], d, y + v * lanes);
}

template <int kVectors>
HWY_INLINE void PairStrip(const uint32_t* panel, int64_t depth, int64_t width, const float* x, float* y) {
  const D d;
  const DBits bits;
  const int64_t lanes = hn::Lanes(d);
  const auto upper = hn::Set(bits, 0xffff0000u);
  V even[kVectors], odd[kVectors];
  for (int v = 0; v < kVectors; ++v) even[v] = odd[v] = hn::Zero(d);
  for (int64_t k = 0; k < depth; k += 2, panel += width) {
    const V first = hn::Set(d, x[k]);
    const V second = hn::Set(d, k + 1 < depth ? x[k + 1] : 0.0f);
    for (int v = 0; v < kVectors; ++v) {
      const auto pair = hn::LoadU(bits, panel + v * lanes);
      even[v] = hn::MulAdd(first, hn::BitCast(d, hn::ShiftLeft<16>(pair)), even[v]);
      odd[v] = hn::MulAdd(second, hn::BitCast(d, hn::And(pair, upper)), odd[v]);
    }
  }
  for (int v = 0; v < kVectors; ++v) hn::StoreU(hn::Add(even[v], odd[v]), d, y + v * lanes);
}

void FloatPanel(const float* panel, int64_t depth, int64_t width, const float* x, float* y) {
  const int64_t lanes = hn::Lanes(D());
  int64_t column = 0;
  for (; column + 8 * lanes <= width; column += 8 * lanes) FloatStrip<8>(panel + column, depth, width, x, y + column);
  for (; column + 4 * lanes <= width; column += 4 * lanes) FloatStrip<4>(panel + column, depth, width, x, y + column);
  for (; column < width; column += lanes) FloatStrip<1>(panel + column, depth, width, x, y + column);
}

void PairPanel(const uint16_t* panel, int64_t depth, int64_t width, const float* x, float* y) {
  const int64_t lanes = hn::Lanes(D());
  const uint32_t* pairs = reinterpret_cast<const uint32_t*>(panel);
  int64_t column = 0;
  for (; column + 4 * lanes <= width; column += 4 * lanes) PairStrip<4>(pairs + column, depth, width, x, y + column);
  for (; column + 2 * lanes <= width; column += 2 * lanes) PairStrip<2>(pairs + column, depth, width, x, y + column);
  for (; column < width; column += lanes) PairStrip<1>(pairs + column, depth, width, x, y + column);
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(FloatPanel);
HWY_EXPORT(PairPanel);

void PanelProduct(const float* panel, int64_t depth, int64_t width, const float* x, float* y) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(FloatPanel)(panel, depth, width, x, y);
}

void PanelProduct(const uint16_t* panel, int64_t depth, int64_t width, const float* x, float* y) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(PairPanel)(panel, depth, width, x, y);
}

}  // namespace tersor
#endif  // HWY_ONCE
