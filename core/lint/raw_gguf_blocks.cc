#include "core/lint/raw_gguf_blocks.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/lint/raw_tensors.h"

namespace tersor {
namespace {

uint8_t ByteAt(const std::byte* block, int64_t i) { return static_cast<uint8_t>(block[i]); }

double HalfAt(const std::byte* block, int64_t i) {
  return HalfValue(static_cast<uint16_t>(ByteAt(block, i) | ByteAt(block, i + 1) << 8));
}

// Nibble i of a block of 32 whose low nibbles come first.
int HalvesNibble(const std::byte* codes, int64_t i) {
  return i < 16 ? ByteAt(codes, i) & 15 : ByteAt(codes, i - 16) >> 4;
}

double Q4KValue(const std::byte* block, int64_t i) {
  const std::byte* s = block + 4;
  const int64_t j = i / 32;
  int scale, minimum;
  if (j < 4) {
    scale = ByteAt(s, j) & 63;
    minimum = ByteAt(s, j + 4) & 63;
  } else {
    scale = (ByteAt(s, j + 4) & 15) | (ByteAt(s, j - 4) >> 6 << 4);
    minimum = (ByteAt(s, j + 4) >> 4) | (ByteAt(s, j) >> 6 << 4);
  }
  const uint8_t pair = ByteAt(block, 16 + 32 * (i / 64) + i % 32);
  const int q = i % 64 < 32 ? pair & 15 : pair >> 4;
  return HalfAt(block, 0) * scale * q - HalfAt(block, 2) * minimum;
}

double Q6KValue(const std::byte* block, int64_t i) {
  const int64_t half = i / 128, l = i % 128;
  const int64_t quarter = l / 32, within = l % 32;
  const uint8_t low = ByteAt(block, 64 * half + within + 32 * (quarter % 2));
  const int high = ByteAt(block, 128 + 32 * half + within) >> (2 * quarter) & 3;
  const int q = (quarter < 2 ? low & 15 : low >> 4) | high << 4;
  const int scale = static_cast<int8_t>(ByteAt(block, 192 + i / 16));
  return HalfAt(block, 208) * scale * (q - 32);
}

double Mxfp4Value(const std::byte* block, int64_t i) {
  constexpr double kValues[] = {0, 0.5, 1, 1.5, 2, 3, 4, 6};
  const int code = HalvesNibble(block + 1, i);
  const double size = std::ldexp(kValues[code & 7], ByteAt(block, 0) - 127);
  return code & 8 ? -size : size;
}

double F32Value(const std::byte* block, int64_t) {
  uint32_t word;
  std::memcpy(&word, block, 4);
  return std::bit_cast<float>(word);
}

double F16Value(const std::byte* block, int64_t) { return HalfAt(block, 0); }

double BF16Value(const std::byte* block, int64_t) {
  return std::bit_cast<float>(static_cast<uint32_t>(ByteAt(block, 0) | ByteAt(block, 1) << 8) << 16);
}

double Q40Value(const std::byte* block, int64_t i) { return HalfAt(block, 0) * (HalvesNibble(block + 2, i) - 8); }

double Q41Value(const std::byte* block, int64_t i) {
  return HalfAt(block, 0) * HalvesNibble(block + 4, i) + HalfAt(block, 2);
}

// A fifth bit from a row of bits.
int FiveBits(const std::byte* bits, const std::byte* codes, int64_t i) {
  return HalvesNibble(codes, i) + (ByteAt(bits, i / 8) >> (i % 8) & 1) * 16;
}

double Q50Value(const std::byte* block, int64_t i) {
  return HalfAt(block, 0) * (FiveBits(block + 2, block + 6, i) - 16);
}

double Q51Value(const std::byte* block, int64_t i) {
  return HalfAt(block, 0) * FiveBits(block + 4, block + 8, i) + HalfAt(block, 2);
}

double Q80Value(const std::byte* block, int64_t i) {
  return HalfAt(block, 0) * static_cast<int8_t>(ByteAt(block, 2 + i));
}

double Q8KValue(const std::byte* block, int64_t i) {
  return F32Value(block, 0) * static_cast<int8_t>(ByteAt(block, 4 + i));
}

// Two bits of 64 bytes: each 32 bytes hold four runs of 32.
int TwoBits(const std::byte* codes, int64_t i) {
  return ByteAt(codes, i / 128 * 32 + i % 32) >> (i % 128 / 32 * 2) & 3;
}

double Q2KValue(const std::byte* block, int64_t i) {
  const int scale = ByteAt(block, i / 16);
  return HalfAt(block, 80) * (scale & 15) * TwoBits(block + 16, i) - HalfAt(block, 82) * (scale >> 4);
}

double Q3KValue(const std::byte* block, int64_t i) {
  const std::byte* s = block + 96;
  const int64_t j = i / 16;
  const int low = j < 8 ? ByteAt(s, j) & 15 : ByteAt(s, j - 8) >> 4;
  const int high = ByteAt(s, 8 + j % 4) >> (2 * (j / 4)) & 3;
  const int q = TwoBits(block + 32, i) + (ByteAt(block, i % 32) >> (i / 32) & 1 ? 4 : 0) - 4;
  return HalfAt(block, 108) * (low + 16 * high - 32) * q;
}

double Q5KValue(const std::byte* block, int64_t i) {
  const std::byte* s = block + 4;
  const int64_t j = i / 32;
  const int low = j < 4 ? ByteAt(s, j) & 63 : (ByteAt(s, j + 4) & 15) + 16 * (ByteAt(s, j - 4) >> 6);
  const int minimum = j < 4 ? ByteAt(s, j + 4) & 63 : (ByteAt(s, j + 4) >> 4) + 16 * (ByteAt(s, j) >> 6);
  const int pair = ByteAt(block, 48 + 32 * (i / 64) + i % 32);
  const int q = (i % 64 < 32 ? pair & 15 : pair >> 4) + 16 * (ByteAt(block, 16 + i % 32) >> j & 1);
  return HalfAt(block, 0) * low * q - HalfAt(block, 2) * minimum;
}

constexpr int kLevels[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

double IQ4NLValue(const std::byte* block, int64_t i) { return HalfAt(block, 0) * kLevels[HalvesNibble(block + 2, i)]; }

double IQ4XSValue(const std::byte* block, int64_t i) {
  const int64_t j = i / 32;
  const int low = ByteAt(block, 4 + j / 2) >> (4 * (j % 2)) & 15;
  const int high = ByteAt(block, 2 + j / 4) >> (2 * (j % 4)) & 3;
  return HalfAt(block, 0) * (low + 16 * high - 32) * kLevels[HalvesNibble(block + 8 + 16 * j, i % 32)];
}

// Digit n of a byte that holds five of base 3 as a fraction of 256.
int Digit(int byte, int64_t n) {
  for (; n > 0; --n) byte = byte * 3 % 256;
  return byte * 3 / 256;
}

double TQ10Value(const std::byte* block, int64_t i) {
  const int digit = i < 160   ? Digit(ByteAt(block, i % 32), i / 32)
                    : i < 240 ? Digit(ByteAt(block, 32 + (i - 160) % 16), (i - 160) / 16)
                              : Digit(ByteAt(block, 48 + (i - 240) % 4), (i - 240) / 4);
  return HalfAt(block, 52) * (digit - 1);
}

double TQ20Value(const std::byte* block, int64_t i) { return HalfAt(block, 64) * (TwoBits(block, i) - 1); }

constexpr std::array kBlocks = {
    RawGgufBlock{0, "F32", 1, 4, F32Value},         RawGgufBlock{1, "F16", 1, 2, F16Value},
    RawGgufBlock{30, "BF16", 1, 2, BF16Value},      RawGgufBlock{2, "Q4_0", 32, 18, Q40Value},
    RawGgufBlock{3, "Q4_1", 32, 20, Q41Value},      RawGgufBlock{6, "Q5_0", 32, 22, Q50Value},
    RawGgufBlock{7, "Q5_1", 32, 24, Q51Value},      RawGgufBlock{8, "Q8_0", 32, 34, Q80Value},
    RawGgufBlock{10, "Q2_K", 256, 84, Q2KValue},    RawGgufBlock{11, "Q3_K", 256, 110, Q3KValue},
    RawGgufBlock{12, "Q4_K", 256, 144, Q4KValue},   RawGgufBlock{13, "Q5_K", 256, 176, Q5KValue},
    RawGgufBlock{14, "Q6_K", 256, 210, Q6KValue},   RawGgufBlock{15, "Q8_K", 256, 292, Q8KValue},
    RawGgufBlock{20, "IQ4_NL", 32, 18, IQ4NLValue}, RawGgufBlock{23, "IQ4_XS", 256, 136, IQ4XSValue},
    RawGgufBlock{34, "TQ1_0", 256, 54, TQ10Value},  RawGgufBlock{35, "TQ2_0", 256, 66, TQ20Value},
    RawGgufBlock{39, "MXFP4", 32, 17, Mxfp4Value},
};

}  // namespace

const RawGgufBlock* FindRawGgufBlock(uint32_t id) {
  for (const RawGgufBlock& block : kBlocks) {
    if (block.id == id) return &block;
  }
  return nullptr;
}

const RawGgufBlock* FindRawGgufBlock(absl::string_view name) {
  for (const RawGgufBlock& block : kBlocks) {
    if (block.name == name) return &block;
  }
  return nullptr;
}

}  // namespace tersor
