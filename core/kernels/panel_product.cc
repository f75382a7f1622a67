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

// sum += a * b, in place: the compiler would copy the sums of a loop that has many, and run out of registers.
HWY_INLINE void AddProduct(V& sum, V a, V b) {
#if HWY_TARGET == HWY_AVX3
  asm("vfmadd231ps %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw));
#elif HWY_TARGET == HWY_AVX2
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum.raw) : "x"(a.raw), "x"(b.raw));
#else
  sum = hn::MulAdd(a, b, sum);
#endif
}

// Rows of x from the first on, kVectors vectors of the panel.
template <int kRows, int kVectors>
HWY_INLINE void FloatStrip(const float* panel, const PanelOperands& o, const float* x, float* y) {
  const D d;
  const int64_t lanes = hn::Lanes(d);
  V sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::Zero(d);
  }
  for (int64_t k = 0; k < o.depth; ++k, panel += o.width) {
    V weights[kVectors];
    for (int v = 0; v < kVectors; ++v) weights[v] = hn::LoadU(d, panel + v * lanes);
    for (int r = 0; r < kRows; ++r) {
      const V factor = hn::Set(d, x[r * o.x_stride + k]);
      for (int v = 0; v < kVectors; ++v) AddProduct(sums[r][v], factor, weights[v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[r][v], d, y + r * o.y_stride + v * lanes);
  }
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

// All columns of the panel for kRows rows from `row` on.
template <int kRows, int kVectors>
void FloatColumns(const float* panel, const PanelOperands& o, int64_t row) {
  const int64_t lanes = hn::Lanes(D());
  const float* x = o.x + row * o.x_stride;
  float* y = o.y + row * o.y_stride;
  int64_t column = 0;
  for (; column + kVectors * lanes <= o.width; column += kVectors * lanes) {
    FloatStrip<kRows, kVectors>(panel + column, o, x, y + column);
  }
  constexpr int kHalf = kVectors / 2;
  for (; column + kHalf * lanes <= o.width; column += kHalf * lanes) {
    FloatStrip<kRows, kHalf>(panel + column, o, x, y + column);
  }
  for (; column < o.width; column += lanes) FloatStrip<kRows, 1>(panel + column, o, x, y + column);
}

void FloatPanel(const float* panel, const PanelOperands& o) {
  // As many sums as the registers hold.
  constexpr int kVectors = HWY_TARGET == HWY_AVX3 ? 4 : 2;
  int64_t row = 0;
  for (; row + 4 <= o.rows; row += 4) FloatColumns<4, kVectors>(panel, o, row);
  for (; row + 2 <= o.rows; row += 2) FloatColumns<2, kVectors>(panel, o, row);
  // A single row takes long strips: more loads are under way at a time.
  for (; row < o.rows; ++row) FloatColumns<1, 8>(panel, o, row);
}

void PairPanel(const uint16_t* panel, const PanelOperands& o) {
  const int64_t lanes = hn::Lanes(D());
  const uint32_t* pairs = reinterpret_cast<const uint32_t*>(panel);
  for (int64_t row = 0; row < o.rows; ++row) {
    const float* x = o.x + row * o.x_stride;
    float* y = o.y + row * o.y_stride;
    int64_t column = 0;
    for (; column + 4 * lanes <= o.width; column += 4 * lanes)
      PairStrip<4>(pairs + column, o.depth, o.width, x, y + column);
    for (; column + 2 * lanes <= o.width; column += 2 * lanes)
      PairStrip<2>(pairs + column, o.depth, o.width, x, y + column);
    for (; column < o.width; column += lanes) PairStrip<1>(pairs + column, o.depth, o.width, x, y + column);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(FloatPanel);
HWY_EXPORT(PairPanel);

void PanelProduct(const float* panel, const PanelOperands& operands) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(FloatPanel)(panel, operands);
}

void PanelProduct(const uint16_t* panel, const PanelOperands& operands) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(PairPanel)(panel, operands);
}

}  // namespace tersor
#endif  // HWY_ONCE
