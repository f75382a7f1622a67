// OliVe's outlier-victim pairs (arXiv 2304.07493): codes for two neighbouring values.
#ifndef TERSOR_CORE_ENCODING_OUTLIER_PAIRS_H_
#define TERSOR_CORE_ENCODING_OUTLIER_PAIRS_H_

#include <cstdint>

namespace tersor {

// Values are in units of the scale. An ordinary value is an integer -(2^(b-1) - 1) .. 2^(b-1) - 1 in two's complement.
// The code -2^(b-1) is the identifier: it stands for a victim, which is 0, and makes the other value of the pair an
// outlier in abfloat (section 3.3): sign, exponent and mantissa (E2M1 for 4 bits, E4M3 for 8) of
// (2^m + mantissa) * 2^(exponent + bias), the bias put where outliers begin: 12 .. 96 for 4 bits (bias 2), 144 ..
// 7864320 for 8 (bias 4).
class OutlierPairs {
 public:
  // 4 or 8.
  explicit OutlierPairs(int bits);

  int bits() const { return bits_; }
  // The largest ordinary value.
  float largest_ordinary() const { return static_cast<float>((1 << (bits_ - 1)) - 1); }
  float least_outlier() const { return outliers_[1]; }
  float largest_outlier() const { return outliers_[outlier_count_ - 1]; }
  // Of an outlier's code.
  int mantissa_bits() const;
  // A value of a larger magnitude is an outlier: halfway between what the two kinds can hold.
  float threshold() const { return (largest_ordinary() + least_outlier()) / 2; }

  // Of two outliers the larger survives.
  void Encode(const float values[2], uint8_t codes[2]) const;
  void Decode(const uint8_t codes[2], float values[2]) const;

  uint8_t identifier() const { return static_cast<uint8_t>(1u << (bits_ - 1)); }

 private:
  float OrdinaryValue(uint8_t code) const;
  uint8_t OrdinaryCode(float value) const;
  uint8_t OutlierCode(float value) const;
  float OutlierValue(uint8_t code) const;

  int bits_;
  int outlier_count_;
  // Magnitudes by abfloat code, rising.
  float outliers_[128];
};

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_OUTLIER_PAIRS_H_
