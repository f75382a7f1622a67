#include "core/exports/gguf_block_encoders.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/tensor/float16.h"

namespace tersor {
namespace {

constexpr int kSuper = 256;
constexpr float kTiny = 1e-15f;

int Nearest(float value) { return static_cast<int>(std::nearbyint(value)); }

void StoreHalf(float value, std::byte* to) {
  const uint16_t bits = FloatToF16(value);
  std::memcpy(to, &bits, sizeof(bits));
}

float Rounded(float value) { return F16ToFloat(FloatToF16(value)); }

// scale and offset of x = scale * q - offset.
struct Line {
  float scale = 0;
  float offset = 0;
};

// The line of q in 0..15 with the least weighted squared error over 32 values, of those that 21 starting scales lead to
// by least squares; the offset is not negative.
Line FitLine(const float* x) {
  constexpr int kCount = 32, kTop = 15, kSteps = 20;
  float low = std::min(0.0f, *std::min_element(x, x + kCount));
  const float high = *std::max_element(x, x + kCount);
  if (high <= low) return {0, -low};
  float squares = 0;
  for (int i = 0; i < kCount; ++i) squares += x[i] * x[i];
  const float middle = std::sqrt(squares / kCount);
  Line best = {(high - low) / kTop, -low};
  float best_error = -1;
  for (int step = -1; step <= kSteps; ++step) {
    // The first pass judges the plain line over the range.
    const float inverse = step < 0 ? kTop / (high - low) : (-1.0f + 0.1f * step + kTop) / (high - low);
    float sw = 0, sx = 0, sl = 0, sll = 0, sxl = 0;
    std::array<int, kCount> q;
    for (int i = 0; i < kCount; ++i) {
      q[i] = std::clamp(Nearest(inverse * (x[i] - low)), 0, kTop);
      const float w = middle + std::fabs(x[i]);
      sw += w, sx += w * x[i], sl += w * q[i], sll += w * q[i] * q[i], sxl += w * x[i] * q[i];
    }
    Line line = best;
    if (step >= 0) {
      const float determinant = sw * sll - sl * sl;
      if (determinant <= 0) continue;
      line = {(sw * sxl - sx * sl) / determinant, -(sll * sx - sl * sxl) / determinant};
      if (line.offset < 0) line = {sxl / sll, 0};
    }
    float error = 0;
    for (int i = 0; i < kCount; ++i) {
      const float difference = line.scale * q[i] - line.offset - x[i];
      error += (middle + std::fabs(x[i])) * difference * difference;
    }
    if (best_error >= 0 && error >= best_error) continue;
    best_error = error;
    best = line;
  }
  return best;
}

void PackSixBits(const int* scales, const int* minima, uint8_t* packed) {
  for (int j = 0; j < 8; ++j) {
    if (j < 4) {
      packed[j] = static_cast<uint8_t>(scales[j]);
      packed[j + 4] = static_cast<uint8_t>(minima[j]);
    } else {
      packed[j + 4] = static_cast<uint8_t>((scales[j] & 15) | (minima[j] & 15) << 4);
      packed[j - 4] |= static_cast<uint8_t>(scales[j] >> 4 << 6);
      packed[j] |= static_cast<uint8_t>(minima[j] >> 4 << 6);
    }
  }
}

void EncodeQ4K(const float* x, std::byte* block) {
  std::array<Line, 8> lines;
  float largest_scale = 0, largest_offset = 0;
  for (int j = 0; j < 8; ++j) {
    lines[j] = FitLine(x + 32 * j);
    largest_scale = std::max(largest_scale, lines[j].scale);
    largest_offset = std::max(largest_offset, lines[j].offset);
  }
  std::array<int, 8> scales{}, minima{};
  for (int j = 0; j < 8; ++j) {
    if (largest_scale > 0) scales[j] = std::clamp(Nearest(63 / largest_scale * lines[j].scale), 0, 63);
    if (largest_offset > 0) minima[j] = std::clamp(Nearest(63 / largest_offset * lines[j].offset), 0, 63);
  }
  uint8_t* bytes = reinterpret_cast<uint8_t*>(block);
  std::memset(bytes, 0, 144);
  StoreHalf(largest_scale / 63, block);
  StoreHalf(largest_offset / 63, block + 2);
  PackSixBits(scales.data(), minima.data(), bytes + 4);
  const float d = Rounded(largest_scale / 63), dmin = Rounded(largest_offset / 63);
  for (int i = 0; i < kSuper; ++i) {
    const float step = d * static_cast<float>(scales[i / 32]);
    const float offset = dmin * static_cast<float>(minima[i / 32]);
    const int q = step > 0 ? std::clamp(Nearest((x[i] + offset) / step), 0, 15) : 0;
    bytes[16 + 32 * (i / 64) + i % 32] |= static_cast<uint8_t>(i % 64 < 32 ? q : q << 4);
  }
}

void ToleranceQ4K(const float* x, float* allowed) {
  float widest = 0, lowest = 0;
  for (int j = 0; j < 8; ++j) {
    const auto [low, high] = std::minmax_element(x + 32 * j, x + 32 * j + 32);
    widest = std::max(widest, std::max(*high, 0.0f) - std::min(*low, 0.0f));
    lowest = std::max(lowest, -*low);
  }
  for (int j = 0; j < 8; ++j) {
    const auto [low, high] = std::minmax_element(x + 32 * j, x + 32 * j + 32);
    const float range = std::max(*high, 0.0f) - std::min(*low, 0.0f);
    // The fitted line cuts the range's ends by less than two steps; the 6-bit scale moves the last code by 15 halves of
    // its own step, the 6-bit offset by half of its own.
    std::fill_n(allowed + 32 * j, 32, 2.5f * range / 15 + 15 * widest / 15 / 126 * 1.5f + lowest / 60 + 1e-6f);
  }
}

// The scale of q in -32..31 with the least squared error, weighted by the squared values.
float FitScale(const float* x) {
  constexpr int kCount = 16, kTop = 32;
  float extreme = 0;
  for (int i = 0; i < kCount; ++i) {
    if (std::fabs(x[i]) > std::fabs(extreme)) extreme = x[i];
  }
  if (std::fabs(extreme) < kTiny) return 0;
  float best = -1, best_scale = 0;
  for (int step = -10; step <= 9; ++step) {
    const float inverse = step == -10 ? -kTop / extreme : -(kTop + 0.1f * static_cast<float>(step)) / extreme;
    float xl = 0, ll = 0;
    for (int i = 0; i < kCount; ++i) {
      const float q = static_cast<float>(std::clamp(Nearest(inverse * x[i]), -kTop, kTop - 1));
      const float w = x[i] * x[i];
      xl += w * x[i] * q, ll += w * q * q;
    }
    if (ll <= 0 || xl * xl <= best * ll) continue;
    best = xl * xl / ll;
    best_scale = xl / ll;
  }
  return best_scale;
}

void EncodeQ6K(const float* x, std::byte* block) {
  uint8_t* bytes = reinterpret_cast<uint8_t*>(block);
  std::memset(bytes, 0, 210);
  std::array<float, 16> fitted;
  float extreme = 0;
  for (int j = 0; j < 16; ++j) {
    fitted[j] = FitScale(x + 16 * j);
    if (std::fabs(fitted[j]) > std::fabs(extreme)) extreme = fitted[j];
  }
  if (std::fabs(extreme) < kTiny) return;
  const float inverse = -128 / extreme;
  StoreHalf(1 / inverse, block + 208);
  const float d = Rounded(1 / inverse);
  for (int j = 0; j < 16; ++j) {
    bytes[192 + j] = static_cast<uint8_t>(static_cast<int8_t>(std::min(127, Nearest(inverse * fitted[j]))));
  }
  for (int i = 0; i < kSuper; ++i) {
    const float step = d * static_cast<float>(static_cast<int8_t>(bytes[192 + i / 16]));
    const int q = step != 0 ? std::clamp(Nearest(x[i] / step), -32, 31) + 32 : 32;
    const int half = i / 128, quarter = i % 128 / 32, within = i % 32;
    bytes[64 * half + within + 32 * (quarter % 2)] |= static_cast<uint8_t>((q & 15) << (quarter < 2 ? 0 : 4));
    bytes[128 + 32 * half + within] |= static_cast<uint8_t>(q >> 4 << (2 * quarter));
  }
}

void ToleranceQ6K(const float* x, float* allowed) {
  float largest = 0;
  for (int i = 0; i < kSuper; ++i) largest = std::max(largest, std::fabs(x[i]));
  for (int j = 0; j < 16; ++j) {
    float own = 0;
    for (int i = 0; i < 16; ++i) own = std::max(own, std::fabs(x[16 * j + i]));
    // Two steps of the group's grid, and what the 8-bit scale moves the last code by.
    std::fill_n(allowed + 16 * j, 16, 2 * own / 31 + 32 * largest / 31 / 256 + 1e-6f);
  }
}

constexpr std::array<float, 8> kFp4 = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};

void EncodeMxfp4(const float* x, std::byte* block) {
  float largest = 0;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
  const int exponent = largest > 0 ? std::clamp(static_cast<int>(std::floor(std::log2(largest))) - 2 + 127, 0, 254) : 0;
  uint8_t* bytes = reinterpret_cast<uint8_t*>(block);
  std::memset(bytes, 0, 17);
  bytes[0] = static_cast<uint8_t>(exponent);
  const float inverse = std::ldexp(1.0f, 127 - exponent);
  for (int i = 0; i < 32; ++i) {
    const float size = std::fabs(x[i]) * inverse;
    int code = 0;
    for (int c = 1; c < 8; ++c) {
      if (std::fabs(kFp4[c] - size) < std::fabs(kFp4[code] - size)) code = c;
    }
    if (x[i] < 0 && code > 0) code |= 8;
    bytes[1 + i % 16] |= static_cast<uint8_t>(i < 16 ? code : code << 4);
  }
}

void ToleranceMxfp4(const float* x, float* allowed) {
  float largest = 0;
  for (int i = 0; i < 32; ++i) largest = std::max(largest, std::fabs(x[i]));
  // The scale is a power of two at least an eighth of the largest value; beyond 6 of it values are cut.
  std::fill_n(allowed, 32, largest / 3.9f + 1e-30f);
}

constexpr std::array kEncoders = {
    GgufBlockEncoder{"Q4_K", 256, 144, EncodeQ4K, ToleranceQ4K},
    GgufBlockEncoder{"Q6_K", 256, 210, EncodeQ6K, ToleranceQ6K},
    GgufBlockEncoder{"MXFP4", 32, 17, EncodeMxfp4, ToleranceMxfp4},
};

}  // namespace

const GgufBlockEncoder* FindGgufBlockEncoder(absl::string_view name) {
  for (const GgufBlockEncoder& encoder : kEncoders) {
    if (encoder.name == name) return &encoder;
  }
  return nullptr;
}

}  // namespace tersor
