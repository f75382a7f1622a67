// How GGUF's IQ types, whose codes are rows of a grid, become floats. Private to gguf_block_types.cc.
#ifndef TERSOR_CORE_ENCODING_GGUF_GRID_FORMATS_H_
#define TERSOR_CORE_ENCODING_GGUF_GRID_FORMATS_H_

#include <bit>
#include <cstdint>
#include <cstring>

#include "core/encoding/gguf_block_formats.h"
#include "core/encoding/gguf_grids.h"
#include "core/tensor/float16.h"
#include "core/tensor/vectorized.h"

namespace tersor::gguf_formats {

TERSOR_INLINE uint16_t WordAt(const uint8_t* in) {
  uint16_t word;
  std::memcpy(&word, in, sizeof(word));
  return word;
}

TERSOR_INLINE uint32_t DoubleWordAt(const uint8_t* in) {
  uint32_t word;
  std::memcpy(&word, in, sizeof(word));
  return word;
}

// Nibble i of a row of bytes, low ones first.
TERSOR_INLINE int NibbleAt(const uint8_t* in, int i) { return in[i / 2] >> (i % 2 * 4) & 15; }

// Seven sign bits; the eighth makes their number even.
TERSOR_INLINE uint32_t EvenSigns(uint32_t seven) {
  return seven | static_cast<uint32_t>(std::popcount(seven) & 1) << 7;
}

// scale times the grid's row, negative where bit i of `signs` is set.
template <size_t Values>
TERSOR_INLINE void Signed(const std::array<int8_t, Values>& row, float scale, uint32_t signs, float* __restrict out) {
  for (size_t i = 0; i < Values; ++i) {
    const float value = scale * static_cast<float>(row[i]);
    out[i] = signs >> i & 1 ? -value : value;
  }
}

// f16 d; for each 32 values four grid codes of a byte, four times seven sign bits, a 4-bit scale.
struct IQ2_XXS {
  static constexpr int64_t kValues = 256, kBytes = 66;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    for (int run = 0; run < 8; ++run) {
      const uint8_t* codes = in + 2 + 8 * run;
      const uint32_t rest = DoubleWordAt(codes + 4);
      const float scale = d * (0.5f + static_cast<float>(rest >> 28)) * 0.25f;
      for (int k = 0; k < 4; ++k) {
        Signed(kGgufGrid2XXS[codes[k]], scale, EvenSigns(rest >> (7 * k) & 127), out + 32 * run + 8 * k);
      }
    }
  }
};

// f16 d; for each 8 values a grid code of 9 bits with seven sign bits; sixteen 4-bit scales.
struct IQ2_XS {
  static constexpr int64_t kValues = 256, kBytes = 74;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    for (int k = 0; k < 32; ++k) {
      const uint32_t code = WordAt(in + 2 + 2 * k);
      const float scale = d * (0.5f + static_cast<float>(NibbleAt(in + 66, k / 2))) * 0.25f;
      Signed(kGgufGrid2XS[code & 511], scale, EvenSigns(code >> 9), out + 8 * k);
    }
  }
};

// f16 d; for each 8 values the low byte of a grid code of 10 bits, a byte of signs; the codes' high bits; sixteen 4-bit
// scales.
struct IQ2_S {
  static constexpr int64_t kValues = 256, kBytes = 82;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    const uint8_t *low = in + 2, *signs = in + 34, *high = in + 66, *scales = in + 74;
    for (int k = 0; k < 32; ++k) {
      const int code = low[k] | (high[k / 4] >> (k % 4 * 2) & 3) << 8;
      const float scale = d * (0.5f + static_cast<float>(NibbleAt(scales, k / 2))) * 0.25f;
      Signed(kGgufGrid2S[code], scale, signs[k], out + 8 * k);
    }
  }
};

// f16 d; 64 grid codes of a byte, for 4 values each; for each 32 values four times seven sign bits, a 4-bit scale.
struct IQ3_XXS {
  static constexpr int64_t kValues = 256, kBytes = 98;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    for (int run = 0; run < 8; ++run) {
      const uint8_t* codes = in + 2 + 8 * run;
      const uint32_t rest = DoubleWordAt(in + 66 + 4 * run);
      const float scale = d * (0.5f + static_cast<float>(rest >> 28)) * 0.5f;
      for (int k = 0; k < 8; ++k) {
        const uint32_t signs = EvenSigns(rest >> (7 * (k / 2)) & 127) >> (k % 2 * 4);
        Signed(kGgufGrid3XXS[codes[k]], scale, signs, out + 32 * run + 4 * k);
      }
    }
  }
};

// f16 d; for each 4 values the low byte of a grid code of 9 bits; the codes' high bits; a sign bit a value; eight 4-bit
// scales.
struct IQ3_S {
  static constexpr int64_t kValues = 256, kBytes = 110;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    const uint8_t *low = in + 2, *high = in + 66, *signs = in + 74, *scales = in + 106;
    for (int k = 0; k < 64; ++k) {
      const int code = low[k] | BitOf(high, k) << 8;
      const float scale = d * static_cast<float>(1 + 2 * NibbleAt(scales, k / 8));
      Signed(kGgufGrid3S[code], scale, static_cast<uint32_t>(NibbleAt(signs, k)), out + 4 * k);
    }
  }
};

constexpr float kIQ1Delta = 0.125f;

// scale * (row + delta).
TERSOR_INLINE void Ternary(int code, float scale, float delta, float* __restrict out) {
  const std::array<int8_t, 8>& row = kGgufGrid1[code];
  for (int i = 0; i < 8; ++i) out[i] = scale * (static_cast<float>(row[i]) + delta);
}

// f16 d; for each 8 values the low byte of a grid code of 11 bits; for each 32 values four times its high bits, a 3-bit
// scale and the sign of what is added to the grid.
struct IQ1_S {
  static constexpr int64_t kValues = 256, kBytes = 50;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    for (int k = 0; k < 32; ++k) {
      const uint16_t rest = WordAt(in + 34 + 2 * (k / 4));
      const float scale = d * static_cast<float>(2 * (rest >> 12 & 7) + 1);
      const int code = in[2 + k] | (rest >> (3 * (k % 4)) & 7) << 8;
      Ternary(code, scale, rest & 0x8000 ? -kIQ1Delta : kIQ1Delta, out + 8 * k);
    }
  }
};

// As IQ1_S with a sign of its own for each 8 values and sixteen 3-bit scales; the f16 d is the top nibbles of the four
// words of scales.
struct IQ1_M {
  static constexpr int64_t kValues = 256, kBytes = 56;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const uint8_t *high = in + 32, *scales = in + 48;
    uint32_t half = 0;
    for (int word = 0; word < 4; ++word) half |= static_cast<uint32_t>(WordAt(scales + 2 * word) >> 12) << (4 * word);
    const float d = F16ToFloat(static_cast<uint16_t>(half));
    for (int k = 0; k < 32; ++k) {
      const int group = k / 2, nibble = NibbleAt(high, k);
      const int factor = WordAt(scales + 2 * (group / 4)) >> (3 * (group % 4)) & 7;
      const float scale = d * static_cast<float>(2 * factor + 1);
      Ternary(in[k] | (nibble & 7) << 8, scale, nibble & 8 ? -kIQ1Delta : kIQ1Delta, out + 8 * k);
    }
  }
};

constexpr float kUnevenLevels[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

// 32 values of 16 bytes, low nibbles first: scale * level.
TERSOR_INLINE void Uneven(const uint8_t* __restrict in, float scale, float* __restrict out) {
  for (int i = 0; i < 16; ++i) out[i] = scale * kUnevenLevels[in[i] & 15];
  for (int i = 0; i < 16; ++i) out[16 + i] = scale * kUnevenLevels[in[i] >> 4];
}

// f16 d; 16 bytes as in Q4_0, of uneven levels.
struct IQ4_NL {
  static constexpr int64_t kValues = 32, kBytes = 18;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) { Uneven(in + 2, HalfAt(in), out); }
};

// f16 d; eight 6-bit scales: two bytes of high bits, four of low nibbles; for each 32 values 16 bytes as in IQ4_NL.
struct IQ4_XS {
  static constexpr int64_t kValues = 256, kBytes = 136;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    const uint16_t high = WordAt(in + 2);
    for (int run = 0; run < 8; ++run) {
      const int scale = (NibbleAt(in + 4, run) | (high >> (2 * run) & 3) << 4) - 32;
      Uneven(in + 8 + 16 * run, d * static_cast<float>(scale), out + 32 * run);
    }
  }
};

}  // namespace tersor::gguf_formats

#endif  // TERSOR_CORE_ENCODING_GGUF_GRID_FORMATS_H_
