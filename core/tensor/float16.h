// Conversions between float and the 16-bit formats; round to nearest, ties to even.
#ifndef TERSOR_CORE_TENSOR_FLOAT16_H_
#define TERSOR_CORE_TENSOR_FLOAT16_H_

#include <bit>
#include <cstddef>
#include <cstdint>

namespace tersor {

inline float BF16ToFloat(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

inline uint16_t FloatToBF16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);  // quiet NaN
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline float F16ToFloat(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = half & 0x7fffu;
  // Both cases are computed and masked, so that compilers turn loops over halves into vectors. Normal halves: shift and
  // rebias; infinity and NaN have all bits of the exponent. Subnormal ones: the integer magnitude times 2^-24 is exact.
  const uint32_t special = magnitude >= 0x7c00u ? 0x7f800000u : 0u;
  const uint32_t normal = ((magnitude << 13) + 0x38000000u) | special;
  const float small = static_cast<float>(static_cast<int32_t>(magnitude)) * 0x1p-24f;
  const uint32_t is_normal = 0u - static_cast<uint32_t>(magnitude >= 0x400u);
  return std::bit_cast<float>(sign | (normal & is_normal) | (std::bit_cast<uint32_t>(small) & ~is_normal));
}

// `count` halves, which need not be aligned. The bits of F16ToFloat, except that NaN may become a quiet one.
void F16ToFloats(const std::byte* halves, int64_t count, float* out);

inline uint16_t FloatToF16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u);
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // rounds to infinity
  if (magnitude < 0x38800000u) {
    // Adding 0.5 puts the subnormal half's last bit at the float's last bit, so the addition rounds as wanted.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000u));
  }
  const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
  return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

}  // namespace tersor

#endif  // TERSOR_CORE_TENSOR_FLOAT16_H_
