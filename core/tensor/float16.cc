#include "core/tensor/float16.h"

#include <cstring>

#ifdef __x86_64__
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace tersor {
namespace {

#ifdef __x86_64__
// Not every compiler's __builtin_cpu_supports knows F16C by name; AVX's says whether the system keeps the registers.
bool HasF16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __builtin_cpu_supports("avx") && __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}

// How many it converted: those that fill vectors.
[[gnu::target("avx,f16c")]] int64_t ConvertByF16c(const std::byte* halves, int64_t count, float* out) {
  constexpr int64_t kLanes = 8;
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    const __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + i * sizeof(uint16_t)));
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(eight));
  }
  return i;
}
#endif

}  // namespace

void F16ToFloats(const std::byte* halves, int64_t count, float* out) {
  int64_t i = 0;
#ifdef __x86_64__
  static const bool has_f16c = HasF16c();
  if (has_f16c) i = ConvertByF16c(halves, count, out);
#endif
  for (; i < count; ++i) {
    uint16_t half;
    std::memcpy(&half, halves + i * sizeof(half), sizeof(half));
    out[i] = F16ToFloat(half);
  }
}

}  // namespace tersor
