#include "core/kernels/int8_product.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/int8_product.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, kPairPanel>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
using VI = hn::Vec<DI>;

constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
constexpr int kParts = static_cast<int>(kPairPanel) / kLanes;

float LargestMagnitude(const float* x, int64_t count) {
  const D d;
  V largest = hn::Zero(d);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) largest = hn::Max(largest, hn::Abs(hn::LoadU(d, x + i)));
  float result = hn::GetLane(hn::MaxOfLanes(d, largest));
  for (; i < count; ++i) result = std::max(result, std::abs(x[i]));
  return result;
}

// Codes -127 .. 127 in 32 bits, then narrowed.
template <typename T>
float RoundRow(const float* x, int64_t count, int offset, T* out) {
  const D d;
  const DI di;
  const hn::Rebind<T, D> narrow;
  const float magnitude = LargestMagnitude(x, count);
  float inverse = magnitude > 0 ? 127.0f / magnitude : 0.0f;
  // A row of nothing but the smallest numbers counts as zero.
  if (!std::isfinite(inverse)) inverse = 0.0f;
  const V factor = hn::Set(d, inverse);
  const VI shift = hn::Set(di, offset);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const VI code = hn::Add(hn::NearestInt(hn::Mul(hn::LoadU(d, x + i), factor)), shift);
    hn::StoreU(hn::DemoteTo(narrow, code), narrow, out + i);
  }
  for (; i < count; ++i) out[i] = static_cast<T>(static_cast<int>(std::nearbyint(x[i] * inverse)) + offset);
  return inverse > 0 ? magnitude / 127.0f : 0.0f;
}

float RoundToInt8(const float* x, int64_t count, int8_t* out) { return RoundRow(x, count, 0, out); }
float RoundToUint8(const float* x, int64_t count, uint8_t* out) { return RoundRow(x, count, 128, out); }
float RoundToInt16(const float* x, int64_t count, int16_t* out) { return RoundRow(x, count, 0, out); }

// sums += products of pairs of 16-bit numbers.
HWY_INLINE VI AddPairs(VI sums, VI a, VI b) {
#if HWY_TARGET == HWY_AVX3
  return VI{_mm512_add_epi32(sums.raw, _mm512_madd_epi16(a.raw, b.raw))};
#elif HWY_TARGET == HWY_AVX2
  return VI{_mm256_add_epi32(sums.raw, _mm256_madd_epi16(a.raw, b.raw))};
#else
  const auto low = [](VI v) { return hn::ShiftRight<16>(hn::ShiftLeft<16>(v)); };
  const auto high = [](VI v) { return hn::ShiftRight<16>(v); };
  return hn::Add(sums, hn::Add(hn::Mul(low(a), low(b)), hn::Mul(high(a), high(b))));
#endif
}

template <int kRows>
HWY_INLINE void PairRows(const int16_t* panel, const int16_t* x, int64_t x_stride, int64_t pairs, int32_t* sums,
                         int64_t sums_stride) {
  const DI d;
  VI totals[kRows][kParts];
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kParts; ++p) totals[r][p] = hn::Zero(d);
  }
  for (int64_t pair = 0; pair < pairs; ++pair, panel += 2 * kPairPanel) {
    VI weights[kParts];
    for (int p = 0; p < kParts; ++p) {
      weights[p] = hn::LoadU(d, reinterpret_cast<const int32_t*>(panel) + p * kLanes);
    }
    for (int r = 0; r < kRows; ++r) {
      int32_t two;
      std::memcpy(&two, x + r * x_stride + 2 * pair, sizeof(two));
      const VI factor = hn::Set(d, two);
      for (int p = 0; p < kParts; ++p) totals[r][p] = AddPairs(totals[r][p], weights[p], factor);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kParts; ++p) hn::StoreU(totals[r][p], d, sums + r * sums_stride + p * kLanes);
  }
}

void PairPanelRows(const int16_t* panel, const int16_t* x, int64_t x_stride, int64_t rows, int64_t pairs, int32_t* sums,
                   int64_t sums_stride) {
  // As many as the registers hold.
  constexpr int kRows = HWY_TARGET == HWY_AVX3 ? 16 : 6;
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    PairRows<kRows>(panel, x + r * x_stride, x_stride, pairs, sums + r * sums_stride, sums_stride);
  }
  for (; r < rows; ++r) PairRows<1>(panel, x + r * x_stride, x_stride, pairs, sums + r * sums_stride, sums_stride);
}

void ScaleRow(const int32_t* sums, const int32_t* correction, const float* scales, float scale, const float* bias,
              bool accumulate, int64_t outputs, float* y) {
  const D d;
  const DI di;
  int64_t i = 0;
  const V row_scale = hn::Set(d, scale);
  for (; i + kLanes <= outputs; i += kLanes) {
    VI sum = hn::LoadU(di, sums + i);
    if (correction != nullptr) sum = hn::Sub(sum, hn::LoadU(di, correction + i));
    V value = hn::Mul(hn::ConvertTo(d, sum), hn::Mul(hn::LoadU(d, scales + i), row_scale));
    if (bias != nullptr) value = hn::Add(value, hn::LoadU(d, bias + i));
    if (accumulate) value = hn::Add(hn::LoadU(d, y + i), value);
    hn::StoreU(value, d, y + i);
  }
  for (; i < outputs; ++i) {
    const int32_t sum = sums[i] - (correction != nullptr ? correction[i] : 0);
    float value = static_cast<float>(sum) * (scales[i] * scale);
    if (bias != nullptr) value += bias[i];
    y[i] = accumulate ? y[i] + value : value;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(RoundToInt8);
HWY_EXPORT(RoundToUint8);
HWY_EXPORT(RoundToInt16);
HWY_EXPORT(PairPanelRows);
HWY_EXPORT(ScaleRow);

float QuantizeRow(const float* x, int64_t inputs, int8_t* out) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(RoundToInt8)(x, inputs, out);
}

float QuantizeRow(const float* x, int64_t inputs, uint8_t* out) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(RoundToUint8)(x, inputs, out);
}

float QuantizeRow(const float* x, int64_t inputs, int16_t* out) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(RoundToInt16)(x, inputs, out);
}

void PairProduct(const int16_t* panel, const int16_t* x, int64_t x_stride, int64_t rows, int64_t inputs, int32_t* sums,
                 int64_t sums_stride) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(PairPanelRows)(panel, x, x_stride, rows, (inputs + 1) / 2, sums, sums_stride);
}

void ScaleSums(const int32_t* sums, const int32_t* correction, const float* scales, float scale, const float* bias,
               bool accumulate, int64_t outputs, float* y) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(ScaleRow)(sums, correction, scales, scale, bias, accumulate, outputs, y);
}

}  // namespace tersor
#endif  // HWY_ONCE
