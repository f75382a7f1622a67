// Runs of keys or values as small unsigned integers with a scale and a minimum: value = minimum + code * scale.
#ifndef TERSOR_CORE_KERNELS_KV_CODES_H_
#define TERSOR_CORE_KERNELS_KV_CODES_H_

#include <cstdint>

namespace tersor {

// Both as bits of F16 numbers.
struct KvGrid {
  uint16_t scale = 0;
  uint16_t minimum = 0;
};

// Bytes of a run of `count` codes of 2, 4 or 8 bits.
inline constexpr int64_t KvRunBytes(int64_t count, int bits) { return (count * bits + 7) / 8; }

// Rounds x to the nearest of 2^bits levels between its smallest and largest value. Byte i of `codes` holds the codes of
// elements i, i + n, i + 2 n, ... (n = KvRunBytes) from its lowest bits up. Values beyond what F16 holds end there.
KvGrid QuantizeKvRun(const float* x, int64_t count, int bits, uint8_t* codes);

// The values of a run.
void DequantizeKvRun(const uint8_t* codes, int64_t count, int bits, KvGrid grid, float* out);

// to[c * to_stride + r] = from[r * from_stride + c] for r < rows, c < columns.
void Transpose(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to, int64_t to_stride);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_KV_CODES_H_
