// Products and decoding of matrices of 2 to 8-bit codes in groups, tile by tile. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_LOW_BIT_PRODUCT_H_
#define TERSOR_CORE_KERNELS_LOW_BIT_PRODUCT_H_

#include <cstdint>
#include <span>

namespace tersor {

// Outputs a tile: one lane of 32 bits each.
inline constexpr int64_t kLowBitTile = 16;
// Inputs whose codes lie together, and that share the scale of an activation.
inline constexpr int64_t kLowBitBlock = 32;

// What a code stands for, times the scale of its group.
enum class CodeValues {
  // Itself less the group's zero point.
  kIntegers,
  // 4 bits: a value of a book.
  kBook,
  // 8 bits: an OCP FP8 number, of E4M3's with scales that are 2^8 as large.
  kE4m3,
  kE5m2,
};
// What E4M3's numbers are multiplied by where their bits are read as those of an F16 number.
inline constexpr float kE4m3Factor = 256.0f;

// Tile t holds outputs 16 t .. 16 t + 15. Its codes are [blocks][bits][16] words: word column l belongs to output l,
// and the `bits` words of a block hold the bit planes of its 32 codes, those of 4, of 2 and of 1 bit (8 bits: whole
// bytes) one after the other. In a plane of b bits, group j of four inputs 4 j .. 4 j + 3 takes bits b (j % (8 / b))
// and up of the four bytes of word j / (8 / b).
struct LowBitTiles {
  int bits = 4;
  CodeValues values = CodeValues::kIntegers;
  int64_t groups = 0;
  // 0: a group is half a block, which those of FP8 numbers may not be.
  int64_t blocks_a_group = 0;
  // 64-byte aligned.
  const uint32_t* codes = nullptr;
  // F16 bits, [tiles][groups][16], or floats of that shape.
  const uint16_t* scales = nullptr;
  const float* float_scales = nullptr;
  // [tiles][groups][16]; null: 2^(bits-1) everywhere.
  const uint8_t* zero_points = nullptr;
  // Instead of both, where scales and zero points are codes themselves, of 4 bits at most: [tiles][groups][16] bytes
  // with the scale's code in the lower half, and for each [tiles][groups] the least scale and the step between scales
  // as F16 bits, and the least zero point and the step between these. value = least + code * step.
  const uint8_t* levels = nullptr;
  const uint16_t* level_scales = nullptr;
  const uint8_t* level_zero_points = nullptr;
  // Of kBook: the 16 values.
  const float* book = nullptr;
  // Of a kBook that products with integers are to be had of: values = (these numbers - integer_zero) * integer_step.
  // Numbers are at most 31.
  const uint8_t* integers = nullptr;
  int integer_zero = 0;
  float integer_step = 0;

  // Of all weights, where there are no zero points of their own.
  int zero_point() const { return values == CodeValues::kBook ? integer_zero : 1 << (bits - 1); }
  bool own_zero_points() const { return zero_points != nullptr || levels != nullptr; }
  int64_t blocks() const { return blocks_a_group == 0 ? groups / 2 : groups * blocks_a_group; }
  int64_t tile_words() const { return blocks() * bits * kLowBitTile; }
};

// Words of a block of 32 codes, one output's: word w goes to words[w * stride].
void PackLowBitBlock(const uint8_t* codes, int bits, uint32_t* words, int64_t stride);

// A row of activations in blocks of 32, the last one padded with zeros: value = code * scale of its block.
struct Int8Blocks {
  const int8_t* codes = nullptr;
  const float* scales = nullptr;
  // Where each block's (where groups are half a block, each half's) sum of products begins, as weights are unsigned:
  // minus the sum of its codes, times the zero point where that is the same for all weights, else to be multiplied by
  // theirs.
  const int32_t* starts = nullptr;
};

// Rounds to the nearest, ties to even, with scale = largest magnitude / 127: codes [blocks x 32], scales and sums
// [blocks].
void QuantizeInt8Blocks(const float* x, int64_t inputs, int8_t* codes, float* scales, int32_t* sums);

// y [rows][count x 16] = tiles [first, first + count) times each row of x; sums of 32-bit integers within a block,
// floats beyond. Codes are integers, or those of a book with `integers` whose groups are whole blocks. A row's bits do
// not depend on the others.
void LowBitTimesInt8(const LowBitTiles& tiles, int64_t first, int64_t count, std::span<const Int8Blocks> x, float* y);

// A row of float activations: padded to whole blocks, and the sums of its groups (read where codes are integers).
struct FloatGroups {
  const float* x = nullptr;
  const float* sums = nullptr;
};

// The same for float activations and codes of all kinds.
void LowBitTimesFloat(const LowBitTiles& tiles, int64_t first, int64_t count, std::span<const FloatGroups> x, float* y);

// Decodes the first `inputs` inputs of a tile: the value of input k and output l goes to out[k * stride + l].
void DecodeLowBitTile(const LowBitTiles& tiles, int64_t tile, int64_t inputs, float* out, int64_t stride);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_LOW_BIT_PRODUCT_H_
