#include "core/kernels/int8_product.h"

#include <algorithm>
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
// As many as the registers hold.
constexpr int kRowBlock = HWY_TARGET == HWY_AVX3 ? 16 : 4;

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

#if HWY_TARGET == HWY_AVX3
HWY_INLINE void AddQuadsVnni(VI& sums, VI weights, const int8_t* codes) {
  asm("vpdpbusd %2%{1to16%}, %1, %0"
      : "+v"(sums.raw)
      : "v"(weights.raw), "m"(*reinterpret_cast<const int32_t*>(codes)));
}
#elif HWY_TARGET == HWY_AVX2
HWY_INLINE void AddQuadsVnni(VI& sums, VI weights, const int8_t* codes) {
  int32_t four;
  std::memcpy(&four, codes, sizeof(four));
  asm("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums.raw) : "x"(weights.raw), "x"(hn::Set(DI(), four).raw));
}
#endif

// sums += per lane, the products of four unsigned weights with four signed codes; without VNNI, no pair of codes
// exceeds 128.
template <bool kVnni>
HWY_INLINE void AddQuads(VI& sums, VI weights, const int8_t* four_codes) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  if constexpr (kVnni) return AddQuadsVnni(sums, weights, four_codes);
#endif
  int32_t four;
  std::memcpy(&four, four_codes, sizeof(four));
  const VI codes = hn::Set(DI(), four);
#if HWY_TARGET == HWY_AVX3
  const auto fours = _mm512_madd_epi16(_mm512_maddubs_epi16(weights.raw, codes.raw), _mm512_set1_epi16(1));
  sums = VI{_mm512_add_epi32(sums.raw, fours)};
#elif HWY_TARGET == HWY_AVX2
  const auto fours = _mm256_madd_epi16(_mm256_maddubs_epi16(weights.raw, codes.raw), _mm256_set1_epi16(1));
  // In place: the compiler would copy all sums once a quad, and have no registers left for them.
  asm("vpaddd %1, %0, %0" : "+x"(sums.raw) : "x"(fours));
#else
  const DI d;
  const VI byte = hn::Set(d, 0xff);
  const auto product = [&](VI weight, VI code) { return hn::Mul(hn::And(weight, byte), hn::ShiftRight<24>(code)); };
  sums = hn::Add(sums, product(weights, hn::ShiftLeft<24>(codes)));
  sums = hn::Add(sums, product(hn::ShiftRight<8>(weights), hn::ShiftLeft<16>(codes)));
  sums = hn::Add(sums, product(hn::ShiftRight<16>(weights), hn::ShiftLeft<8>(codes)));
  sums = hn::Add(sums, product(hn::ShiftRight<24>(weights), codes));
#endif
}

HWY_INLINE VI FourWeights(const uint8_t* panel, int64_t quad, int p) {
  return hn::LoadU(DI(), reinterpret_cast<const int32_t*>(panel + 4 * kQuadPanel * quad) + p * kLanes);
}

// Of lanes `p` and one row; totals += the group's sum times both scales.
HWY_INLINE void FinishGroup(const QuadWeights& weights, const QuadRows& rows, int64_t row, int64_t group, int p,
                            VI sums, float* totals) {
  const D d;
  const DI di;
  const int64_t at = group * kQuadPanel + p * kLanes, row_at = row * weights.groups + group;
  const int32_t codes = rows.sums[row_at];
  if (weights.offsets == nullptr) {
    sums = hn::Sub(sums, hn::Set(di, 128 * codes));
  } else {
    sums = hn::Sub(sums, hn::Mul(hn::LoadU(di, weights.offsets + at), hn::Set(di, codes)));
  }
  if (rows.zero_points != nullptr) {
    const VI zero_point = hn::Set(di, rows.zero_points[row_at]);
    sums = hn::Sub(sums, hn::Mul(hn::LoadU(di, weights.sums + at), zero_point));
  }
  const V scales = hn::Mul(hn::LoadU(d, weights.scales + at), hn::Set(d, rows.scales[row_at]));
  const V value = hn::Mul(hn::ConvertTo(d, sums), scales);
  hn::Store(group == 0 ? value : hn::Add(hn::Load(d, totals + p * kLanes), value), d, totals + p * kLanes);
}

// totals += the outliers of a row times the weights' values.
HWY_INLINE void AddOutliers(const QuadWeights& weights, const QuadRows& rows, int64_t row, float* totals) {
  const D d;
  const DI di;
  const int64_t quads = weights.quads / weights.groups;
  for (int p = 0; p < kParts; ++p) {
    V total = hn::Load(d, totals + p * kLanes);
    for (int64_t i = rows.outlier_starts[row]; i < rows.outlier_starts[row + 1]; ++i) {
      const InputOutlier& outlier = rows.outliers[i];
      const int64_t quad = outlier.index / 4;
      const VI four = FourWeights(weights.codes, quad, p);
      const VI code = hn::And(hn::ShiftRightSame(four, static_cast<int>(8 * (outlier.index % 4))), hn::Set(di, 0xff));
      const int64_t at = quad / quads * kQuadPanel + p * kLanes;
      const VI offset = weights.offsets == nullptr ? hn::Set(di, 128) : hn::LoadU(di, weights.offsets + at);
      const V scale = hn::Mul(hn::LoadU(d, weights.scales + at), hn::Set(d, outlier.value));
      total = hn::MulAdd(hn::ConvertTo(d, hn::Sub(code, offset)), scale, total);
    }
    hn::Store(total, d, totals + p * kLanes);
  }
}

HWY_INLINE void StoreOutputs(const float* totals, int64_t row, const QuadOutputs& outputs) {
  const D d;
  float* y = outputs.y + row * outputs.y_stride;
  if (outputs.count < kQuadPanel) {
    for (int64_t i = 0; i < outputs.count; ++i) {
      float value = totals[i];
      if (outputs.constants != nullptr) value += outputs.constants[i];
      if (outputs.bias != nullptr) value += outputs.bias[i];
      y[i] = outputs.accumulate ? y[i] + value : value;
    }
    return;
  }
  for (int64_t i = 0; i < kQuadPanel; i += kLanes) {
    V value = hn::Load(d, totals + i);
    if (outputs.constants != nullptr) value = hn::Add(value, hn::LoadU(d, outputs.constants + i));
    if (outputs.bias != nullptr) value = hn::Add(value, hn::LoadU(d, outputs.bias + i));
    if (outputs.accumulate) value = hn::Add(hn::LoadU(d, y + i), value);
    hn::StoreU(value, d, y + i);
  }
}

// Sums of kRows rows over quads [first, end), to [kRows][16].
template <int kRows, bool kVnni>
HWY_INLINE void SumQuads(const QuadWeights& weights, const int8_t* codes, int64_t first, int64_t end, int32_t* out) {
  const DI di;
  VI sums[kRows][kParts];
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kParts; ++p) sums[r][p] = hn::Zero(di);
  }
  constexpr int64_t kStepQuads = kQuadRowStep / 4;
  const int8_t* four_codes = codes + first / kStepQuads * kRows * kQuadRowStep + first % kStepQuads * 4;
  // One loop: in a nest the compiler keeps the sums in memory.
  for (int64_t quad = first; quad < end; ++quad) {
    VI four[kParts];
    for (int p = 0; p < kParts; ++p) four[p] = FourWeights(weights.codes, quad, p);
    for (int r = 0; r < kRows; ++r) {
      for (int p = 0; p < kParts; ++p) AddQuads<kVnni>(sums[r][p], four[p], four_codes + r * kQuadRowStep);
    }
    four_codes += (quad + 1) % kStepQuads == 0 ? 4 + (kRows - 1) * kQuadRowStep : 4;
  }
  // To memory, as whoever reads them runs over rows: in registers they stay where every index is known.
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kParts; ++p) hn::Store(sums[r][p], di, out + r * kQuadPanel + p * kLanes);
  }
}

template <int kRows, bool kVnni>
HWY_INLINE void QuadPanelRows(const QuadWeights& weights, const QuadRows& rows, int64_t row,
                              const QuadOutputs& outputs) {
  const DI di;
  const int64_t quads = weights.quads / weights.groups;
  HWY_ALIGN float totals[kRows * kQuadPanel];
  HWY_ALIGN int32_t group_sums[kRows * kQuadPanel];
  int64_t rests[kRows];
  for (int r = 0; r < kRows; ++r) rests[r] = kVnni ? 0 : rows.rest_starts[row + r];
  for (int64_t group = 0; group < weights.groups; ++group) {
    const int64_t end = (group + 1) * quads;
    SumQuads<kRows, kVnni>(weights, rows.codes + row * rows.stride, group * quads, end, group_sums);
    for (int r = 0; r < kRows; ++r) {
      VI sums[kParts];
      for (int p = 0; p < kParts; ++p) sums[p] = hn::Load(di, group_sums + r * kQuadPanel + p * kLanes);
      for (; !kVnni && rests[r] < rows.rest_starts[row + r + 1] && rows.rests[rests[r]].quad < end; ++rests[r]) {
        const QuadRest& rest = rows.rests[rests[r]];
        for (int p = 0; p < kParts; ++p) {
          AddQuads<false>(sums[p], FourWeights(weights.codes, rest.quad, p), rest.codes);
        }
      }
      for (int p = 0; p < kParts; ++p) {
        FinishGroup(weights, rows, row + r, group, p, sums[p], totals + r * kQuadPanel);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    if (rows.outlier_starts != nullptr) AddOutliers(weights, rows, row + r, totals + r * kQuadPanel);
    StoreOutputs(totals + r * kQuadPanel, row + r, outputs);
  }
}

template <bool kVnni>
void QuadPanel(const QuadWeights& weights, const QuadRows& rows, const QuadOutputs& outputs) {
  int64_t row = 0;
  for (; row + kRowBlock <= rows.count; row += kRowBlock) QuadPanelRows<kRowBlock, kVnni>(weights, rows, row, outputs);
  for (; row < rows.count; ++row) QuadPanelRows<1, kVnni>(weights, rows, row, outputs);
}

int64_t RowBlock() { return kRowBlock; }

void AnyQuadPanel(const QuadWeights& weights, const QuadRows& rows, const QuadOutputs& outputs) {
  if (rows.rest_starts == nullptr) return QuadPanel<true>(weights, rows, outputs);
  return QuadPanel<false>(weights, rows, outputs);
}

void ScaleRow(const RowSums& row, float* y) {
  const D d;
  const DI di;
  int64_t i = 0;
  const V row_scale = hn::Set(d, row.scale);
  const VI offset = hn::Set(di, row.offset);
  for (; i + kLanes <= row.outputs; i += kLanes) {
    const VI sum = hn::Sub(hn::LoadU(di, row.sums + i), hn::Mul(hn::LoadU(di, row.weight_sums + i), offset));
    V value = hn::Mul(hn::ConvertTo(d, sum), hn::Mul(hn::LoadU(d, row.scales + i), row_scale));
    if (row.constants != nullptr) value = hn::Add(value, hn::LoadU(d, row.constants + i));
    if (row.bias != nullptr) value = hn::Add(value, hn::LoadU(d, row.bias + i));
    if (row.accumulate) value = hn::Add(hn::LoadU(d, y + i), value);
    hn::StoreU(value, d, y + i);
  }
  for (; i < row.outputs; ++i) {
    float value = static_cast<float>(row.sums[i] - row.offset * row.weight_sums[i]) * (row.scales[i] * row.scale);
    if (row.constants != nullptr) value += row.constants[i];
    if (row.bias != nullptr) value += row.bias[i];
    y[i] = row.accumulate ? y[i] + value : value;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(SplitRow);
HWY_EXPORT(AnyQuadPanel);
HWY_EXPORT(RowBlock);
HWY_EXPORT(ScaleRow);

int64_t SplitCodes(int8_t* codes, int64_t count, QuadRest* rests) {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(SplitRow)(codes, count, rests);
}

int64_t QuadRowBlock() {
  LimitTargets();
  return HWY_DYNAMIC_DISPATCH(RowBlock)();
}

bool SplitsCodes() { return !HasVnni(); }

void QuadProduct(const QuadWeights& weights, const QuadRows& rows, const QuadOutputs& outputs) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(AnyQuadPanel)(weights, rows, outputs);
}

void ScaleSums(const RowSums& row, float* y) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(ScaleRow)(row, y);
}

}  // namespace tersor
#endif  // HWY_ONCE
