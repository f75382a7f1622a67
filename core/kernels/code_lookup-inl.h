// 16-entry tables in registers, and the vectors of tiles of 16 outputs. Compiled once per target.
#if defined(TERSOR_CORE_KERNELS_CODE_LOOKUP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TERSOR_CORE_KERNELS_CODE_LOOKUP_INL_H_
#undef TERSOR_CORE_KERNELS_CODE_LOOKUP_INL_H_
#else
#define TERSOR_CORE_KERNELS_CODE_LOOKUP_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace tersor {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
constexpr int64_t kLookupTile = 16;
using D = hn::CappedTag<float, kLookupTile>;
using DI = hn::RebindToSigned<D>;
using DU = hn::RebindToUnsigned<D>;
using V = hn::Vec<D>;
using VI = hn::Vec<DI>;
using VU = hn::Vec<DU>;

constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
// Vectors a tile takes.
constexpr int kParts = static_cast<int>(kLookupTile) / kLanes;

// Values of 16 codes, in registers.
class Book {
 public:
#if HWY_TARGET == HWY_AVX3
  explicit Book(const float* values) : values_(hn::LoadU(D(), values)) {}
  // Of the lowest four bits of each lane.
  HWY_INLINE V Find(VU codes) const { return V{_mm512_permutexvar_ps(hn::BitCast(DI(), codes).raw, values_.raw)}; }

 private:
  V values_;
#elif HWY_TARGET == HWY_AVX2
  explicit Book(const float* values) : low_(hn::LoadU(D(), values)), high_(hn::LoadU(D(), values + 8)) {}
  HWY_INLINE V Find(VU codes) const {
    const __m256 low = _mm256_permutevar8x32_ps(low_.raw, codes.raw);
    const __m256 high = _mm256_permutevar8x32_ps(high_.raw, codes.raw);
    return V{_mm256_blendv_ps(low, high, hn::BitCast(D(), hn::ShiftLeft<28>(codes)).raw)};
  }

 private:
  V low_, high_;
#else
  explicit Book(const float* values) : values_(values) {}
  HWY_INLINE V Find(VU codes) const { return hn::Set(D(), values_[hn::GetLane(codes) & 15]); }

 private:
  const float* values_;
#endif
};

// 16 bytes in registers, found by the codes in the bytes of each lane, which are under 16.
class ByteBook {
 public:
#if HWY_TARGET == HWY_AVX3
  explicit ByteBook(const uint8_t* values)
      : values_(_mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)))) {}
  HWY_INLINE VU Find(VU codes) const { return VU{_mm512_shuffle_epi8(values_, codes.raw)}; }

 private:
  __m512i values_;
#elif HWY_TARGET == HWY_AVX2
  explicit ByteBook(const uint8_t* values)
      : values_(_mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)))) {}
  HWY_INLINE VU Find(VU codes) const { return VU{_mm256_shuffle_epi8(values_, codes.raw)}; }

 private:
  __m256i values_;
#else
  explicit ByteBook(const uint8_t* values) : values_(values) {}
  HWY_INLINE VU Find(VU codes) const {
    const uint32_t word = hn::GetLane(codes);
    uint32_t found = 0;
    for (int byte = 0; byte < 4; ++byte) found |= uint32_t{values_[word >> (8 * byte) & 15]} << (8 * byte);
    return hn::Set(DU(), found);
  }

 private:
  const uint8_t* values_;
#endif
};

}  // namespace HWY_NAMESPACE
}  // namespace tersor
HWY_AFTER_NAMESPACE();

#endif  // TERSOR_CORE_KERNELS_CODE_LOOKUP_INL_H_
