#include "core/kernels/low_bit_product.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/low_bit_product.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After highway.h: it is compiled once per target.
#include "core/kernels/low_bit_product-inl.h"

#if HWY_ONCE
namespace tersor {

HWY_EXPORT(TimesInt8);
HWY_EXPORT(TimesFloat);
HWY_EXPORT(DecodeTile);
HWY_EXPORT(QuantizeBlocks);

void PackLowBitBlock(const uint8_t* codes, int bits, uint32_t* words, int64_t stride) {
  std::array<uint32_t, 8> packed{};
  int word = 0;
  int shift = 0;
  for (const int plane : {8, 4, 2, 1}) {
    if ((bits & plane) == 0) continue;
    // The widest plane holds the lowest bits of a code.
    const int fours = 8 / plane;
    for (int i = 0; i < kLowBitBlock; ++i) {
      const int four = i / 4;
      const uint32_t part = (codes[i] >> shift) & ((1u << plane) - 1);
      packed[word + four / fours] |= part << (8 * (i % 4) + plane * (four % fours));
    }
    word += plane;
    shift += plane;
  }
  for (int w = 0; w < bits; ++w) words[w * stride] = packed[w];
}

void QuantizeInt8Blocks(const float* x, int64_t inputs, int8_t* codes, float* scales, int32_t* sums) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(QuantizeBlocks)(x, inputs, codes, scales, sums);
}

void LowBitTimesInt8(const LowBitTiles& tiles, int64_t first, int64_t count, std::span<const Int8Blocks> x, float* y) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(TimesInt8)(tiles, first, count, x, y, HasVnni());
}

void LowBitTimesFloat(const LowBitTiles& tiles, int64_t first, int64_t count, std::span<const FloatGroups> x,
                      float* y) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(TimesFloat)(tiles, first, count, x, y);
}

void DecodeLowBitTile(const LowBitTiles& tiles, int64_t tile, int64_t inputs, float* out, int64_t stride) {
  LimitTargets();
  HWY_DYNAMIC_DISPATCH(DecodeTile)(tiles, tile, inputs, out, stride);
}

}  // namespace tersor
#endif  // HWY_ONCE
