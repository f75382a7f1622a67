#include "core/encoding/gguf_block_types.h"

#include <array>
#include <cstring>

#include "core/tensor/float16.h"
#include "core/tensor/vectorized.h"

// Every format is a struct whose Decode writes one block. Inner loops have fixed lengths and no branches, so that the
// compiler turns them into vector code. This file is compiled without contraction to FMA: products are rounded before
// they are added, as llama.cpp's reference does.

namespace tersor {
namespace {

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

// f16 d, dmin; eight 6-bit scales and minima in 12 bytes; each 64 values: 32 low nibbles, then 32 high ones:
// w = (d * scale) * q - dmin * minimum.
struct Q4_K {
  static constexpr int64_t kValues = 256, kBytes = 144;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    const float d = HalfAt(in);
    const float dmin = HalfAt(in + 2);
    const uint8_t* s = in + 4;
    float scale[8], minimum[8];
    for (int j = 0; j < 4; ++j) {
      scale[j] = d * static_cast<float>(s[j] & 63);
      minimum[j] = dmin * static_cast<float>(s[j + 4] & 63);
      scale[j + 4] = d * static_cast<float>((s[j + 8] & 15) | ((s[j] >> 6) << 4));
      minimum[j + 4] = dmin * static_cast<float>((s[j + 8] >> 4) | ((s[j + 4] >> 6) << 4));
    }
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

// E8M0 exponent; 16 bytes of FP4 codes, low nibbles first: w = 2^(e - 127) * number.
struct MXFP4 {
  static constexpr int64_t kValues = 32, kBytes = 17;
  TERSOR_INLINE void Decode(const uint8_t* __restrict in, float* __restrict out) {
    constexpr float kNumbers[16] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6, 0, -0.5f, -1, -1.5f, -2, -3, -4, -6};
    // The exponent as a float's own; 0 stands for the subnormal 2^-127.
    const uint32_t bits = in[0] == 0 ? 0x00400000u : static_cast<uint32_t>(in[0]) << 23;
    float scale;
    std::memcpy(&scale, &bits, sizeof(scale));
    for (int i = 0; i < 16; ++i) out[i] = scale * kNumbers[in[1 + i] & 15];
    for (int i = 0; i < 16; ++i) out[16 + i] = scale * kNumbers[in[1 + i] >> 4];
  }
};

template <class Format>
struct BlockLoop {
  TERSOR_INLINE void Run(const std::byte* in, int64_t blocks, float* out) {
    const uint8_t* bytes = reinterpret_cast<const uint8_t*>(in);
    for (int64_t i = 0; i < blocks; ++i) Format::Decode(bytes + i * Format::kBytes, out + i * Format::kValues);
  }
};

template <class Format>
constexpr GgufBlockType Row(uint32_t id, absl::string_view name) {
  return {id, name, Format::kValues, Format::kBytes,
          RunVectorized<BlockLoop<Format>, const std::byte*, int64_t, float*>};
}

constexpr std::array kTypes = {
    Row<Q4_0>(2, "Q4_0"),  Row<Q4_1>(3, "Q4_1"),  Row<Q8_0>(8, "Q8_0"),
    Row<Q4_K>(12, "Q4_K"), Row<Q6_K>(14, "Q6_K"), Row<MXFP4>(39, "MXFP4"),
};

}  // namespace

std::span<const GgufBlockType> GgufBlockTypes() { return kTypes; }

const GgufBlockType* FindGgufBlockType(uint32_t id) {
  for (const GgufBlockType& type : kTypes) {
    if (type.id == id) return &type;
  }
  return nullptr;
}

const GgufBlockType* FindGgufBlockType(absl::string_view name) {
  for (const GgufBlockType& type : kTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

}  // namespace tersor
