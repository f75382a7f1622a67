#include "core/kernels/int8_product.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
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
using D = hn::CappedTag<float, kQuadPanel>;
using DI = hn::RebindToSigned<D>;
using V = hn::Vec<D>;
using VI = hn::Vec<DI>;

constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
constexpr int kParts = static_cast<int>(kQuadPanel) / kLanes;

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

// Moves what a pair of codes has beyond a sum of 128 out of the larger one; false where there is nothing.
HWY_INLINE bool MoveExcess(int8_t* pair, int8_t* rest) {
  const int sum = pair[0] + pair[1];
  const int excess = sum - std::clamp(sum, -128, 128);
  if (excess == 0) return false;
  const int larger = std::abs(pair[0]) >= std::abs(pair[1]) ? 0 : 1;
  pair[larger] = static_cast<int8_t>(pair[larger] - excess);
  rest[larger] = static_cast<int8_t>(excess);
  return true;
}

int64_t SplitRow(int8_t* codes, int64_t count, QuadRest* rests) {
  const hn::CappedTag<int16_t, kQuadRowStep / 2> d;
  // Without vectors one lane is half a quad.
  constexpr bool kWhole = hn::MaxLanes(d) > 1;
  constexpr int kStep = kWhole ? static_cast<int>(2 * hn::MaxLanes(d)) : 4;
  const auto most = hn::Set(d, int16_t{128});
  int64_t found = 0;
  for (int64_t i = 0; i < count; i += kStep) {
    const auto pairs = hn::LoadU(d, reinterpret_cast<const int16_t*>(codes + i));
    const auto sums = hn::Add(hn::ShiftRight<8>(hn::ShiftLeft<8>(pairs)), hn::ShiftRight<8>(pairs));
    if (kWhole && hn::AllFalse(d, hn::Gt(hn::Abs(sums), most))) continue;
    for (int64_t first = i; first < i + kStep; first += 4) {
      QuadRest rest{static_cast<int32_t>(first / 4)};
      const bool low = MoveExcess(codes + first, rest.codes);
      const bool high = MoveExcess(codes + first + 2, rest.codes + 2);
      if (low || high) rests[found++] = rest;
    }
  }
  return found;
}

// sums += per lane, the products of four unsigned weights with four signed codes of which no pair exceeds 128.
HWY_INLINE VI AddQuads(VI sums, VI weights, VI codes) {
#if HWY_TARGET == HWY_AVX3
  const auto fours = _mm512_madd_epi16(_mm512_maddubs_epi16(weights.raw, codes.raw), _mm512_set1_epi16(1));
  return VI{_mm512_add_epi32(sums.raw, fours)};
#elif HWY_TARGET == HWY_AVX2
  const auto fours = _mm256_madd_epi16(_mm256_maddubs_epi16(weights.raw, codes.raw), _mm256_set1_epi16(1));
  // In place: the compiler would copy all sums once a quad, and have no registers left for them.
  asm("vpaddd %1, %0, %0" : "+x"(sums.raw) : "x"(fours));
  return sums;
#else
  const DI d;
  const VI byte = hn::Set(d, 0xff);
  const auto product = [&](VI weight, VI code) { return hn::Mul(hn::And(weight, byte), hn::ShiftRight<24>(code)); };
  sums = hn::Add(sums, product(weights, hn::ShiftLeft<24>(codes)));
  sums = hn::Add(sums, product(hn::ShiftRight<8>(weights), hn::ShiftLeft<16>(codes)));
  sums = hn::Add(sums, product(hn::ShiftRight<16>(weights), hn::ShiftLeft<8>(codes)));
  return hn::Add(sums, product(hn::ShiftRight<24>(weights), codes));
#endif
}

HWY_INLINE VI FourCodes(const int8_t* codes) {
  int32_t four;
  std::memcpy(&four, codes, sizeof(four));
  return hn::Set(DI(), four);
}

HWY_INLINE VI FourWeights(const uint8_t* panel, int64_t quad, int p) {
  return hn::LoadU(DI(), reinterpret_cast<const int32_t*>(panel + 4 * kQuadPanel * quad) + p * kLanes);
}

HWY_INLINE void StoreOutputs(const VI* sums, const QuadRows& rows, int64_t row, const QuadOutputs& outputs) {
  const D d;
  float* y = outputs.y + row * outputs.y_stride;
  const VI correction = hn::Set(DI(), rows.corrections[row]);
  const V scale = hn::Set(d, rows.scales[row]);
  HWY_ALIGN float values[kQuadPanel];
  for (int p = 0; p < kParts; ++p) {
    const V scales = hn::Mul(hn::LoadU(d, outputs.scales + p * kLanes), scale);
    V value = hn::Mul(hn::ConvertTo(d, hn::Sub(sums[p], correction)), scales);
    if (outputs.count < kQuadPanel) {
      hn::Store(value, d, values + p * kLanes);
      continue;
    }
    if (outputs.bias != nullptr) value = hn::Add(value, hn::LoadU(d, outputs.bias + p * kLanes));
    if (outputs.accumulate) value = hn::Add(hn::LoadU(d, y + p * kLanes), value);
    hn::StoreU(value, d, y + p * kLanes);
  }
  if (outputs.count == kQuadPanel) return;
  for (int64_t i = 0; i < outputs.count; ++i) {
    if (outputs.bias != nullptr) values[i] += outputs.bias[i];
    y[i] = outputs.accumulate ? y[i] + values[i] : values[i];
  }
}

template <int kRows>
HWY_INLINE void QuadPanelRows(const uint8_t* panel, int64_t quads, const QuadRows& rows, int64_t row,
                              const QuadOutputs& outputs) {
  const int8_t* codes = rows.codes + row * rows.stride;
  VI sums[kRows][kParts];
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kParts; ++p) sums[r][p] = hn::Zero(DI());
  }
  for (int64_t quad = 0; quad < quads; ++quad) {
    VI weights[kParts];
    for (int p = 0; p < kParts; ++p) weights[p] = FourWeights(panel, quad, p);
    for (int r = 0; r < kRows; ++r) {
      const VI four = FourCodes(codes + r * rows.stride + 4 * quad);
      for (int p = 0; p < kParts; ++p) sums[r][p] = AddQuads(sums[r][p], weights[p], four);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int64_t i = rows.rest_starts[row + r]; i < rows.rest_starts[row + r + 1]; ++i) {
      const QuadRest& rest = rows.rests[i];
      for (int p = 0; p < kParts; ++p) {
        sums[r][p] = AddQuads(sums[r][p], FourWeights(panel, rest.quad, p), FourCodes(rest.codes));
      }
    }
    StoreOutputs(sums[r], rows, row + r, outputs);
  }
}

void QuadPanel(const uint8_t* panel, int64_t quads, const QuadRows& rows, const QuadOutputs& outputs) {
  // As many as the registers hold.
  constexpr int kRows = HWY_TARGET == HWY_AVX3 ? 16 : 4;
  int64_t row = 0;
  for (; row + kRows <= rows.count; row += kRows) QuadPanelRows<kRows>(panel, quads, rows, row, outputs);
  for (; row < rows.count; ++row) QuadPanelRows<1>(panel, quads, rows, row, outputs);
}

void ScaleRow(const int32_t* sums, const int32_t* correction, const float* scales, float scale, const float* bias,
              bool accumulate, int64_t outputs, float* y) {
  const D d;
  const DI di;
  int64_t i = 0;
  const V row_scale = hn::Set(d, scale);
  for (; i + kLanes <= outputs; i += kLanes) {
    const VI sum = hn::Sub(hn::LoadU(di, sums + i), hn::LoadU(di, correction + i));
    V value = hn::Mul(hn::ConvertTo(d, sum), hn::Mul(hn::LoadU(d, scales + i), row_scale));
    if (bias != nullptr) value = hn::Add(value, hn::LoadU(d, bias + i));
    if (accumulate) value = hn::Add(hn::LoadU(d, y + i), value);
    hn::StoreU(value, d, y + i);
  }
  for (; i < outputs; ++i) {
    float value = static_cast<float>(sums[i] - correction[i]) * (scales[i] * scale);
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
HWY_EXPORT(SplitRow);
HWY_EXPORT(QuadPanel);
HWY_EXPORT(ScaleRow);

float QuantizeRow(const float* x, int64_t inputs, int8_t* out) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(RoundToInt8)(x, inputs, out);
}

float QuantizeRow(const float* x, int64_t inputs, uint8_t* out) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(RoundToUint8)(x, inputs, out);
}

int64_t SplitCodes(int8_t* codes, int64_t count, QuadRest* rests) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(SplitRow)(codes, count, rests);
}

void QuadProduct(const uint8_t* panel, int64_t quads, const QuadRows& rows, const QuadOutputs& outputs) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(QuadPanel)(panel, quads, rows, outputs);
}

void ScaleSums(const int32_t* sums, const int32_t* correction, const float* scales, float scale, const float* bias,
               bool accumulate, int64_t outputs, float* y) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(ScaleRow)(sums, correction, scales, scale, bias, accumulate, outputs, y);
}

}  // namespace tersor
#endif  // HWY_ONCE
