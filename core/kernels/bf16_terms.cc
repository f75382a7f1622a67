#include "core/kernels/bf16_terms.h"

#include <algorithm>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/bf16_terms.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

// The nearest bf16 number, ties to even.
HWY_INLINE V NearestBF16(V value) {
  const hn::RebindToUnsigned<D> bits_tag;
  const auto bits = hn::BitCast(bits_tag, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(bits_tag, 1u));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(bits_tag, 0x7fffu)), odd);
  return hn::BitCast(D(), hn::And(rounded, hn::Set(bits_tag, 0xffff0000u)));
}

HWY_INLINE void StoreBF16(V value, uint16_t* y) {
  const hn::RebindToUnsigned<D> bits_tag;
  const hn::Rebind<uint16_t, D> half_tag;
  hn::StoreU(hn::TruncateTo(half_tag, hn::ShiftRight<16>(hn::BitCast(bits_tag, value))), half_tag, y);
}

HWY_INLINE void SplitVector(const float* x, uint16_t* high, uint16_t* middle, uint16_t* low) {
  const V value = hn::LoadU(D(), x);
  const V first = NearestBF16(value);
  const V rest = hn::Sub(value, first);
  const V second = NearestBF16(rest);
  StoreBF16(first, high);
  StoreBF16(second, middle);
  StoreBF16(hn::Sub(rest, second), low);
}

void Split(const float* x, int64_t count, uint16_t* const (&terms)[kBF16Terms]) {
  const int64_t lanes = hn::Lanes(D());
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) SplitVector(x + i, terms[0] + i, terms[1] + i, terms[2] + i);
  if (i == count) return;
  constexpr int64_t kMostLanes = HWY_MAX_BYTES / sizeof(float);
  float padded[kMostLanes] = {};
  uint16_t tail[kBF16Terms][kMostLanes];
  std::copy(x + i, x + count, padded);
  SplitVector(padded, tail[0], tail[1], tail[2]);
  for (int term = 0; term < kBF16Terms; ++term) std::copy(tail[term], tail[term] + (count - i), terms[term] + i);
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(Split);

void SplitToBF16(const float* x, int64_t count, uint16_t* const (&terms)[kBF16Terms]) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(Split)(x, count, terms);
}

}  // namespace tersor
#endif  // HWY_ONCE
