// Loads and stores of the last, partial vector of a row. Compiled once per target: include after highway.h.
#if defined(TERSOR_CORE_KERNELS_PARTIAL_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TERSOR_CORE_KERNELS_PARTIAL_VECTORS_INL_H_
#undef TERSOR_CORE_KERNELS_PARTIAL_VECTORS_INL_H_
#else
#define TERSOR_CORE_KERNELS_PARTIAL_VECTORS_INL_H_
#endif

#include <cstdint>

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {

// The first min(count, lanes) lanes; the others are zero.
template <class D>
HWY_INLINE hwy::HWY_NAMESPACE::Vec<D> LoadPart(D d, const float* x, int64_t count) {
  namespace hn = hwy::HWY_NAMESPACE;
  if (count >= static_cast<int64_t>(hn::Lanes(d))) return hn::LoadU(d, x);
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(count)), d, x);
}

template <class D>
HWY_INLINE void StorePart(hwy::HWY_NAMESPACE::Vec<D> v, D d, float* x, int64_t count) {
  namespace hn = hwy::HWY_NAMESPACE;
  if (count >= static_cast<int64_t>(hn::Lanes(d))) return hn::StoreU(v, d, x);
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(count)), d, x);
}

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
