#include "core/tensor/float8.h"

#include <cmath>
#include <limits>

namespace tersor {
namespace {

// Sign, `exponent_bits`, `mantissa_bits`; E5M2 has infinities and NaNs in its last exponent, E4M3 only one NaN a sign.
std::array<float, 256> MakeTable(int exponent_bits, int mantissa_bits, bool ieee) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int last_exponent = (1 << exponent_bits) - 1;
  const int last_mantissa = (1 << mantissa_bits) - 1;
  std::array<float, 256> table{};
  for (int code = 0; code < 256; ++code) {
    const int exponent = code >> mantissa_bits & last_exponent;
    const int mantissa = code & last_mantissa;
    float value = exponent == 0
                      ? std::ldexp(static_cast<float>(mantissa), 1 - bias - mantissa_bits)
                      : std::ldexp(static_cast<float>(mantissa + last_mantissa + 1), exponent - bias - mantissa_bits);
    if (exponent == last_exponent && ieee) {
      value = mantissa == 0 ? std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
    } else if (exponent == last_exponent && mantissa == last_mantissa) {
      value = std::numeric_limits<float>::quiet_NaN();
    }
    table[code] = code < 128 ? value : -value;
  }
  return table;
}

}  // namespace

const std::array<float, 256>& F8E4M3Values() {
  static const std::array<float, 256> kTable = MakeTable(4, 3, /*ieee=*/false);
  return kTable;
}

const std::array<float, 256>& F8E5M2Values() {
  static const std::array<float, 256> kTable = MakeTable(5, 2, /*ieee=*/true);
  return kTable;
}

}  // namespace tersor
