// Products and decoding of tiles of bit planes. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_BIT_PLANE_PRODUCT_H_
#define TERSOR_CORE_KERNELS_BIT_PLANE_PRODUCT_H_

#include <cstdint>

namespace tersor {

// Outputs a tile, inputs a block, and inputs a table.
inline constexpr int64_t kPlaneTile = 16;
inline constexpr int64_t kPlaneBlock = 32;
inline constexpr int64_t kPlaneTable = 4;
inline constexpr int64_t kPlaneTableSums = 16;

// Signs are [tiles][blocks][planes][16] words: bit i of a word is input i of the block. Scales are F16 bits, [tiles]
// [groups][planes][16].
struct BitPlaneTiles {
  int planes = 4;
  int64_t groups = 0;
  int64_t blocks_a_group = 0;
  const uint32_t* signs = nullptr;
  const uint16_t* scales = nullptr;
};

// tables[t][n] = sum over i < 4 of x[4 t + i], added where bit i of n is set, else taken away; x has 4 * count values.
void FillPlaneTables(const float* x, int64_t count, float* tables);

// y [count x 16] of tiles [first, first + count).
void BitPlanesTimesTables(const BitPlaneTiles& tiles, int64_t first, int64_t count, const float* tables, float* y);

// The first `inputs` inputs of a tile: input k of output l goes to out[k * stride + l].
void DecodeBitPlaneTile(const BitPlaneTiles& tiles, int64_t tile, int64_t inputs, float* out, int64_t stride);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_BIT_PLANE_PRODUCT_H_
