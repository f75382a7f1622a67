// The values that small codes stand for: NF4 and the minifloats.
#ifndef TERSOR_CORE_ENCODING_CODE_BOOK_H_
#define TERSOR_CORE_ENCODING_CODE_BOOK_H_

#include <cstdint>
#include <span>

#include "absl/strings/string_view.h"

namespace tersor {

// A table from codes to values, and its inverse. The one list of them is CodeBooks(); they live for ever.
class CodeBook {
 public:
  // `values` by code, 2^bits of them; NaN marks a code that stands for no number. A value halfway between two goes to
  // the even code where `ties_to_even` (as IEEE rounds), else to the smaller value.
  CodeBook(absl::string_view name, int bits, const float* values, bool ties_to_even);

  absl::string_view name() const { return name_; }
  // 4 or 8.
  int bits() const { return bits_; }
  float largest() const { return sorted_[count_ - 1]; }
  float Value(uint8_t code) const { return values_[code]; }
  bool IsNumber(uint8_t code) const { return values_[code] == values_[code]; }
  // All values by code.
  std::span<const float> values() const { return {values_, size_t{1} << bits_}; }
  // The code of the nearest value; numbers beyond the ends get the ends. `value` is no NaN.
  uint8_t Nearest(float value) const;

 private:
  absl::string_view name_;
  int bits_;
  float values_[256];
  // Numbers in rising order with their codes, and the thresholds between neighbours.
  int count_ = 0;
  float sorted_[256];
  uint8_t codes_[256];
  float thresholds_[256];
  // Whether a value on the threshold belongs to the upper neighbour.
  bool tie_up_[256];
  // By a float's sign, exponent and first three bits of the mantissa: the first threshold that such a value may be
  // under. Activations are rounded for every token, too often to search all thresholds.
  static constexpr int kLowBits = 20;
  uint8_t first_[4096];
};

// "nf4": NormalFloat4 (QLoRA, arXiv 2305.14314, appendix E), -1 .. 1.
const CodeBook& Nf4Book();
// "e2m1": OCP MX FP4, largest 6.
const CodeBook& E2m1Book();
// "e4m3": OCP FP8 E4M3 (no infinity), largest 448. "e5m2": largest 57344.
const CodeBook& E4m3Book();
const CodeBook& E5m2Book();
// bitsandbytes' dynamic 8-bit map, -1 .. 1: what double quantization stores scales in.
const CodeBook& DynamicMapBook();

std::span<const CodeBook* const> CodeBooks();
// Null where no book has that name.
const CodeBook* FindCodeBook(absl::string_view name);

}  // namespace tersor

#endif  // TERSOR_CORE_ENCODING_CODE_BOOK_H_
