#include "core/encoding/outlier_pairs.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tersor {
namespace {

struct Abfloat {
  int exponent_bits;
  int mantissa_bits;
  int bias;
};

Abfloat AbfloatOf(int bits) { return bits == 4 ? Abfloat{2, 1, 2} : Abfloat{4, 3, 4}; }

constexpr int kFirstOutlier = 1;
constexpr int kScales = 32;
constexpr double kNarrowest = 0.25, kWidest = 2.0, kDeviations = 3.0;

}  // namespace

OutlierPairs::OutlierPairs(int bits) : bits_(bits), outlier_count_(1 << (bits - 1)) {
  const Abfloat format = AbfloatOf(bits);
  for (int code = 0; code < outlier_count_; ++code) {
    const int mantissa = code & ((1 << format.mantissa_bits) - 1), exponent = code >> format.mantissa_bits;
    outliers_[code] = std::ldexp(static_cast<float>((1 << format.mantissa_bits) + mantissa), exponent + format.bias);
  }
}

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
  // Halfway between what the two kinds can hold.
  const float threshold = (largest_ordinary() + outliers_[kFirstOutlier]) / 2;
  const int larger = std::abs(values[1]) > std::abs(values[0]) ? 1 : 0;
  if (!(std::abs(values[larger]) > threshold)) {
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

float FitPairScale(std::span<const float> values, const OutlierPairs& pairs) {
  double squares = 0;
  for (const float value : values) squares += static_cast<double>(value) * value;
  if (squares == 0) return 0;
  const double deviation = std::sqrt(squares / static_cast<double>(values.size()));
  float best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (int step = 0; step < kScales; ++step) {
    const double width = kNarrowest * std::pow(kWidest / kNarrowest, static_cast<double>(step) / (kScales - 1));
    const float scale = static_cast<float>(width * kDeviations * deviation / pairs.largest_ordinary());
    const float inverse = 1 / scale;
    if (!(scale > 0) || !std::isfinite(inverse)) continue;
    double error = 0;
    for (size_t i = 0; i + 1 < values.size(); i += 2) {
      const float pair[2] = {values[i] * inverse, values[i + 1] * inverse};
      uint8_t codes[2];
      float decoded[2];
      pairs.Encode(pair, codes);
      pairs.Decode(codes, decoded);
      for (int k = 0; k < 2; ++k) {
        const double difference = static_cast<double>(decoded[k]) * scale - values[i + k];
        error += difference * difference;
      }
    }
    if (error >= least) continue;
    least = error;
    best = scale;
  }
  return best;
}

}  // namespace tersor
