#include "core/tensor/finite.h"

#include <algorithm>
#include <cstring>

#include "core/tensor/vectorized.h"

namespace tersor {
namespace {

// NaN and infinity have all bits of the exponent set, and nothing else has.
template <typename Word, Word kExponent>
struct AnyNonFinite {
  TERSOR_INLINE bool Run(const std::byte* bytes, int64_t count) {
    Word any = 0;
    for (int64_t i = 0; i < count; ++i) {
      Word word;
      std::memcpy(&word, bytes + i * static_cast<int64_t>(sizeof(Word)), sizeof(Word));
      any |= static_cast<Word>((word & kExponent) == kExponent ? 1 : 0);
    }
    return any != 0;
  }
};

// A run is looked through as a whole; where it holds one, value by value.
template <typename Word, Word kExponent>
int64_t First(const std::byte* bytes, int64_t count) {
  constexpr int64_t kRun = 4096;
  using Any = AnyNonFinite<Word, kExponent>;
  for (int64_t begin = 0; begin < count; begin += kRun) {
    const std::byte* run = bytes + begin * static_cast<int64_t>(sizeof(Word));
    const int64_t size = std::min(kRun, count - begin);
    if (!RunVectorized<Any>(run, size)) continue;
    for (int64_t i = 0; i < size; ++i) {
      if (Any::Run(run + i * static_cast<int64_t>(sizeof(Word)), 1)) return begin + i;
    }
  }
  return -1;
}

}  // namespace

int64_t FirstNonFinite(DType dtype, const std::byte* bytes, int64_t count) {
  switch (dtype) {
    case DType::kF32:
      return First<uint32_t, 0x7f800000u>(bytes, count);
    case DType::kF16:
      return First<uint16_t, 0x7c00u>(bytes, count);
    case DType::kBF16:
      return First<uint16_t, 0x7f80u>(bytes, count);
    case DType::kF64:
      return First<uint64_t, 0x7ff0000000000000u>(bytes, count);
    default:
      return -1;
  }
}

}  // namespace tersor
