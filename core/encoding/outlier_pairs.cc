#include "core/encoding/outlier_pairs.h"

#include <algorithm>
#include <cmath>

namespace tersor {
namespace {

struct Abfloat {
  int exponent_bits;
  int mantissa_bits;
  int bias;
};

Abfloat AbfloatOf(int bits) { return bits == 4 ? Abfloat{2, 1, 2} : Abfloat{4, 3, 4}; }

constexpr int kFirstOutlier = 1;

}  // namespace

OutlierPairs::OutlierPairs(int bits) : bits_(bits), outlier_count_(1 << (bits - 1)) {
  const Abfloat format = AbfloatOf(bits);
  for (int code = 0; code < outlier_count_; ++code) {
    const int mantissa = code & ((1 << format.mantissa_bits) - 1), exponent = code >> format.mantissa_bits;
    outliers_[code] = std::ldexp(static_cast<float>((1 << format.mantissa_bits) + mantissa), exponent + format.bias);
  }
}

int OutlierPairs::mantissa_bits() const { return AbfloatOf(bits_).mantissa_bits; }

float OutlierPairs::OrdinaryValue(uint8_t code) const {
  const int value = code;
  return static_cast<float>(value >= 1 << (bits_ - 1) ? value - (1 << bits_) : value);
}

uint8_t OutlierPairs::OrdinaryCode(float value) const {
  const float largest = largest_ordinary();
  const int rounded = static_cast<int>(std::nearbyint(std::clamp(value, -largest, largest)));
  return static_cast<uint8_t>(rounded & ((1 << bits_) - 1));
}

uint8_t OutlierPairs::OutlierCode(float value) const {
  const float magnitude = std::abs(value);
  // Code 0 is not used: with the sign it would be the identifier.
  int nearest = kFirstOutlier;
  for (int code = kFirstOutlier + 1; code < outlier_count_; ++code) {
    if (std::abs(outliers_[code] - magnitude) < std::abs(outliers_[nearest] - magnitude)) nearest = code;
  }
  return static_cast<uint8_t>(nearest | (value < 0 ? 1 << (bits_ - 1) : 0));
}

float OutlierPairs::OutlierValue(uint8_t code) const {
  const float magnitude = outliers_[code & (outlier_count_ - 1)];
  return code >> (bits_ - 1) ? -magnitude : magnitude;
}

void OutlierPairs::Encode(const float values[2], uint8_t codes[2]) const {
  const int larger = std::abs(values[1]) > std::abs(values[0]) ? 1 : 0;
  if (!(std::abs(values[larger]) > threshold())) {
    codes[0] = OrdinaryCode(values[0]);
    codes[1] = OrdinaryCode(values[1]);
    return;
  }
  codes[larger] = OutlierCode(values[larger]);
  codes[1 - larger] = identifier();
}

void OutlierPairs::Decode(const uint8_t codes[2], float values[2]) const {
  for (int i = 0; i < 2; ++i) {
    values[i] = codes[i] == identifier()       ? 0
                : codes[1 - i] == identifier() ? OutlierValue(codes[i])
                                               : OrdinaryValue(codes[i]);
  }
}

}  // namespace tersor
