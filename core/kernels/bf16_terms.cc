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
  const auto nearest = hn::And(rounded, hn::Set(bits_tag, 0xffff0000u));
  // Adding to a NaN's bits may carry into its sign.
  const auto quiet = hn::Or(hn::And(bits, hn::Set(bits_tag, 0xffff0000u)), hn::Set(bits_tag, 0x400000u));
  const auto is_number = hn::RebindMask(bits_tag, hn::Eq(value, value));
  return hn::BitCast(D(), hn::IfThenElse(is_number, nearest, quiet));
}

HWY_INLINE void StoreBF16(V value, uint16_t* y) {
  const hn::RebindToUnsigned<D> bits_tag;
  const hn::Rebind<uint16_t, D> half_tag;
  hn::StoreU(hn::TruncateTo(half_tag, hn::ShiftRight<16>(hn::BitCast(bits_tag, value))), half_tag, y);
}

template <int kTerms>
HWY_INLINE void SplitVector(const float* x, uint16_t* y, int64_t stride) {
  V rest = hn::LoadU(D(), x);
  for (int term = 0; term < kTerms; ++term, y += stride) {
    const V nearest = NearestBF16(rest);
    StoreBF16(nearest, y);
    rest = hn::Sub(rest, nearest);
  }
}

template <int kTerms>
void SplitAll(const float* x, int64_t count, uint16_t* y, int64_t stride) {
  const int64_t lanes = hn::Lanes(D());
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) SplitVector<kTerms>(x + i, y + i, stride);
  if (i == count) return;
  constexpr int64_t kMostLanes = HWY_MAX_BYTES / sizeof(float);
  float padded[kMostLanes] = {};
  uint16_t tail[kTerms * kMostLanes];
  std::copy(x + i, x + count, padded);
  SplitVector<kTerms>(padded, tail, kMostLanes);
  for (int term = 0; term < kTerms; ++term) {
    std::copy_n(tail + term * kMostLanes, count - i, y + term * stride + i);
  }
}

void Split(const float* x, int64_t count, int terms, uint16_t* y, int64_t stride) {
  if (terms == 1) return SplitAll<1>(x, count, y, stride);
  if (terms == 2) return SplitAll<2>(x, count, y, stride);
  SplitAll<3>(x, count, y, stride);
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(Split);

void SplitToBF16(const float* x, int64_t count, int terms, uint16_t* y, int64_t stride) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(Split)(x, count, terms, y, stride);
}

}  // namespace tersor
#endif  // HWY_ONCE
