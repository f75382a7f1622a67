// How GGUF's block types with a plain grid become floats. Private to gguf_block_types.cc.
#ifndef TERSOR_CORE_ENCODING_GGUF_BLOCK_FORMATS_H_
#define TERSOR_CORE_ENCODING_GGUF_BLOCK_FORMATS_H_

#include <cstdint>
#include <cstring>

#include "core/tensor/float16.h"
#include "core/tensor/vectorized.h"

// Every format is a struct whose Decode writes one block. Inner loops have fixed lengths and no branches, so that the
// compiler turns them into vector code. They are compiled without contraction to FMA: products are rounded before they
// are added, as llama.cpp's reference does.

namespace tersor::gguf_formats {

TERSOR_INLINE float HalfAt(const uint8_t* in) {
  uint16_t half;
  std::memcpy(&half, in, sizeof(half));
  return F16ToFloat(half);
}

// f16 d; i8 q[32]: w = d * q.
struct Q8_0 {
  static constexpr int64_t kValues = 32, kBytes = 34;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    for (int i = 0; i < 32; ++i) out[i] = d * static_cast<float>(static_cast<int8_t>(in[2 + i]));
  }
};

// f16 d; 16 bytes, low nibbles first: w = d * (q - 8).
struct Q4_0 {
  static constexpr int64_t kValues = 32, kBytes = 18;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>((in[2 + i] & 15) - 8);
    for (int i = 0; i < 16; ++i) out[16 + i] = d * static_cast<float>((in[2 + i] >> 4) - 8);
  }
};

// f16 d, m; 16 bytes as in Q4_0: w = d * q + m.
struct Q4_1 {
  static constexpr int64_t kValues = 32, kBytes = 20;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    const float m = HalfAt(in + 2);
    for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>(in[4 + i] & 15) + m;
    for (int i = 0; i < 16; ++i) out[16 + i] = d * static_cast<float>(in[4 + i] >> 4) + m;
  }
};

// Bit i of four bytes.
TERSOR_INLINE int BitOf(const uint8_t* __restrict in, int i) { return in[i / 8] >> (i % 8) & 1; }

// f16 d; 32 high bits; 16 bytes as in Q4_0: w = d * (q - 16).
struct Q5_0 {
  static constexpr int64_t kValues = 32, kBytes = 22;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    const uint8_t *high = in + 2, *q = in + 6;
    for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>(((q[i] & 15) | BitOf(high, i) << 4) - 16);
    for (int i = 0; i < 16; ++i) out[16 + i] = d * static_cast<float>(((q[i] >> 4) | BitOf(high, 16 + i) << 4) - 16);
  }
};

// f16 d, m; 32 high bits; 16 bytes as in Q4_0: w = d * q + m.
struct Q5_1 {
  static constexpr int64_t kValues = 32, kBytes = 24;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    const float m = HalfAt(in + 2);
    const uint8_t *high = in + 4, *q = in + 8;
    for (int i = 0; i < 16; ++i) out[i] = d * static_cast<float>((q[i] & 15) | BitOf(high, i) << 4) + m;
    for (int i = 0; i < 16; ++i) out[16 + i] = d * static_cast<float>((q[i] >> 4) | BitOf(high, 16 + i) << 4) + m;
  }
};

// Sixteen 4-bit pairs of scale and minimum; 64 bytes of 2-bit codes; f16 d, dmin: w = (d * scale) * q - dmin * minimum.
// Each half of 128 values: quarter k of 32 takes bits 2k of 32 bytes.
struct Q2_K {
  static constexpr int64_t kValues = 256, kBytes = 84;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in + 80);
    const float dmin = HalfAt(in + 82);
    for (int part = 0; part < 16; ++part) {
      const float scale = d * static_cast<float>(in[part] & 15);
      const float minimum = dmin * static_cast<float>(in[part] >> 4);
      const uint8_t* q = in + 16 + 32 * (part / 8) + 16 * (part % 2);
      const int shift = part % 8 / 2 * 2;
      for (int i = 0; i < 16; ++i) out[16 * part + i] = scale * static_cast<float>(q[i] >> shift & 3) - minimum;
    }
  }
};

// 32 bytes of high bits, bit r of them for run r of 32 values; 64 bytes as in Q2_K; sixteen 6-bit scales in 12 bytes;
// f16 d: w = (d * (scale - 32)) * (q - 4), q of 3 bits.
struct Q3_K {
  static constexpr int64_t kValues = 256, kBytes = 110;
  TERSOR_INLINE int ScaleOf(const uint8_t* __restrict s, int part) {
    const int low = part < 8 ? s[part] & 15 : s[part - 8] >> 4;
    return (low | (s[8 + part % 4] >> (part / 4 * 2) & 3) << 4) - 32;
  }
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in + 108);
    for (int part = 0; part < 16; ++part) {
      const float scale = d * static_cast<float>(ScaleOf(in + 96, part));
      const uint8_t* high = in + 16 * (part % 2);
      const uint8_t* q = in + 32 + 32 * (part / 8) + 16 * (part % 2);
      const int shift = part % 8 / 2 * 2, bit = part / 2;
      for (int i = 0; i < 16; ++i) {
        out[16 * part + i] = scale * static_cast<float>((q[i] >> shift & 3) + (high[i] >> bit & 1) * 4 - 4);
      }
    }
  }
};

// f16 d, dmin; eight 6-bit scales and minima in 12 bytes: d * scale and dmin * minimum of each.
TERSOR_INLINE void ReadSixBits(const uint8_t* __restrict in, float* __restrict scale, float* __restrict minimum) {
  const float d = HalfAt(in);
  const float dmin = HalfAt(in + 2);
  const uint8_t* s = in + 4;
  for (int j = 0; j < 4; ++j) {
    scale[j] = d * static_cast<float>(s[j] & 63);
    minimum[j] = dmin * static_cast<float>(s[j + 4] & 63);
    scale[j + 4] = d * static_cast<float>((s[j + 8] & 15) | ((s[j] >> 6) << 4));
    minimum[j + 4] = dmin * static_cast<float>((s[j + 8] >> 4) | ((s[j + 4] >> 6) << 4));
  }
}

// f16 d, dmin; eight 6-bit scales and minima in 12 bytes; each 64 values: 32 low nibbles, then 32 high ones:
// w = (d * scale) * q - dmin * minimum.
struct Q4_K {
  static constexpr int64_t kValues = 256, kBytes = 144;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    float scale[8], minimum[8];
    ReadSixBits(in, scale, minimum);
    for (int j = 0; j < 4; ++j) {
      const uint8_t* q = in + 16 + 32 * j;
      float* to = out + 64 * j;
      const float low_scale = scale[2 * j], low_minimum = minimum[2 * j];
      const float high_scale = scale[2 * j + 1], high_minimum = minimum[2 * j + 1];
      for (int i = 0; i < 32; ++i) to[i] = low_scale * static_cast<float>(q[i] & 15) - low_minimum;
      for (int i = 0; i < 32; ++i) to[32 + i] = high_scale * static_cast<float>(q[i] >> 4) - high_minimum;
    }
  }
};

// Low 4 bits in ql[128], high 2 in qh[64], i8 scales[16], f16 d last: w = (d * scale) * (q - 32). Each half of 128
// values: quarter k of 32 takes bits 2k of qh; quarters 0 and 1 the low nibbles of ql, 2 and 3 the high ones.
struct Q6_K {
  static constexpr int64_t kValues = 256, kBytes = 210;
  TERSOR_INLINE void Sixteen(const uint8_t* __restrict ql, int nibble_shift, const uint8_t* __restrict qh,
                             int high_shift, float scale, float* __restrict out) {
    for (int i = 0; i < 16; ++i) {
      const int q = ((ql[i] >> nibble_shift) & 15) | (((qh[i] >> high_shift) & 3) << 4);
      out[i] = scale * static_cast<float>(q - 32);
    }
  }
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in + 208);
    const int8_t* scales = reinterpret_cast<const int8_t*>(in + 192);
    for (int half = 0; half < 2; ++half) {
      const uint8_t* ql = in + 64 * half;
      const uint8_t* qh = in + 128 + 32 * half;
      for (int part = 0; part < 8; ++part) {
        const int quarter = part / 2;
        const int begin = 16 * (part % 2);
        const float scale = d * static_cast<float>(scales[8 * half + part]);
        Sixteen(ql + 32 * (quarter % 2) + begin, 4 * (quarter / 2), qh + begin, 2 * quarter, scale,
                out + 128 * half + 16 * part);
      }
    }
  }
};

// As Q4_K, with 32 bytes of high bits before the codes, bit r of them for run r of 32 values.
struct Q5_K {
  static constexpr int64_t kValues = 256, kBytes = 176;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    float scale[8], minimum[8];
    ReadSixBits(in, scale, minimum);
    const uint8_t* high = in + 16;
    for (int run = 0; run < 8; ++run) {
      const uint8_t* q = in + 48 + 32 * (run / 2);
      const int shift = run % 2 * 4;
      const float run_scale = scale[run], run_minimum = minimum[run];
      for (int i = 0; i < 32; ++i) {
        const int code = (q[i] >> shift & 15) | (high[i] >> run & 1) << 4;
        out[32 * run + i] = run_scale * static_cast<float>(code) - run_minimum;
      }
    }
  }
};

// f32 d; i8 q[256]; sums of 16 codes each, which only products of integers read: w = d * q.
struct Q8_K {
  static constexpr int64_t kValues = 256, kBytes = 292;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    float d;
    std::memcpy(&d, in, sizeof(d));
    for (int i = 0; i < 256; ++i) out[i] = d * static_cast<float>(static_cast<int8_t>(in[4 + i]));
  }
};

// Base 3: a byte holds five digits as a fraction of 256, the first one in front; f16 d last: w = d * (digit - 1). 160
// values from 32 bytes, 80 from 16, the last 16 from 4 bytes of four digits each.
struct TQ1_0 {
  static constexpr int64_t kValues = 256, kBytes = 54;
  template <int Bytes, int Digits>
  TERSOR_INLINE void Part(const uint8_t* __restrict in, float d, float* __restrict out) {
    constexpr uint8_t kPowers[5] = {1, 3, 9, 27, 81};
    for (int n = 0; n < Digits; ++n) {
      for (int i = 0; i < Bytes; ++i) {
        const uint8_t shifted = static_cast<uint8_t>(in[i] * kPowers[n]);
        out[Bytes * n + i] = d * static_cast<float>((shifted * 3 >> 8) - 1);
      }
    }
  }
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in + 52);
    Part<32, 5>(in, d, out);
    Part<16, 5>(in + 32, d, out + 160);
    Part<4, 4>(in + 48, d, out + 240);
  }
};

// 64 bytes of 2-bit codes as in Q2_K; f16 d last: w = d * (q - 1).
struct TQ2_0 {
  static constexpr int64_t kValues = 256, kBytes = 66;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in + 64);
    for (int run = 0; run < 8; ++run) {
      const uint8_t* q = in + 32 * (run / 4);
      const int shift = run % 4 * 2;
      for (int i = 0; i < 32; ++i) out[32 * run + i] = d * static_cast<float>((q[i] >> shift & 3) - 1);
    }
  }
};

// Twice the FP4 numbers, so that they are integers.
constexpr float kDoubledFp4[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// E8M0 exponent; 16 bytes of FP4 codes, low nibbles first: w = 2^(e - 128) * doubled number.
struct MXFP4 {
  static constexpr int64_t kValues = 32, kBytes = 17;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    // The exponent as a float's own; 0 and 1 stand for the subnormal 2^-128 and 2^-127.
    const uint32_t bits = in[0] < 2 ? 0x00200000u << in[0] : static_cast<uint32_t>(in[0] - 1) << 23;
    float scale;
    std::memcpy(&scale, &bits, sizeof(scale));
    for (int i = 0; i < 16; ++i) out[i] = scale * kDoubledFp4[in[1 + i] & 15];
    for (int i = 0; i < 16; ++i) out[16 + i] = scale * kDoubledFp4[in[1 + i] >> 4];
  }
};

// Four unsigned E4M3 scales; for each, 8 bytes of FP4 codes, low nibbles first: w = scale / 2 * doubled number.
struct NVFP4 {
  static constexpr int64_t kValues = 64, kBytes = 36;
  TERSOR_INLINE float HalfScale(uint8_t code) {
    if (code == 0x7f) return 0;
    const int exponent = code >> 3 & 15, mantissa = code & 7;
    // As a float's own fields; the subnormals count in 2^-9.
    if (exponent == 0) return static_cast<float>(mantissa) * 0x1p-10f;
    const uint32_t bits = static_cast<uint32_t>(exponent - 8 + 127) << 23 | static_cast<uint32_t>(mantissa) << 20;
    float scale;
    std::memcpy(&scale, &bits, sizeof(scale));
    return scale;
  }
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    for (int part = 0; part < 4; ++part) {
      const float scale = HalfScale(in[part]);
      const uint8_t* q = in + 4 + 8 * part;
      for (int i = 0; i < 8; ++i) out[16 * part + i] = scale * kDoubledFp4[q[i] & 15];
      for (int i = 0; i < 8; ++i) out[16 * part + 8 + i] = scale * kDoubledFp4[q[i] >> 4];
    }
  }
};

}  // namespace tersor::gguf_formats

#endif  // TERSOR_CORE_ENCODING_GGUF_BLOCK_FORMATS_H_
