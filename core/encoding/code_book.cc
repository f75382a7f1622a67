#include "core/encoding/code_book.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>

namespace tersor {
namespace {

constexpr float kNoNumber = std::numeric_limits<float>::quiet_NaN();

// bitsandbytes' table, code 0 first.
constexpr std::array<float, 16> kNf4 = {-1.0f,
                                        -0.6961928009986877f,
                                        -0.5250730514526367f,
                                        -0.39491748809814453f,
                                        -0.28444138169288635f,
                                        -0.18477343022823334f,
                                        -0.09105003625154495f,
                                        0.0f,
                                        0.07958029955625534f,
                                        0.16093020141124725f,
                                        0.24611230194568634f,
                                        0.33791524171829224f,
                                        0.44070982933044434f,
                                        0.5626170039176941f,
                                        0.7229568362236023f,
                                        1.0f};

// Sign, exponent, mantissa; the largest exponent is an ordinary one, but for the codes that the caller strikes out.
std::array<float, 256> MinifloatValues(int exponent_bits, int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1, magnitude_bits = exponent_bits + mantissa_bits;
  std::array<float, 256> values;
  values.fill(kNoNumber);
  for (int code = 0; code < 2 << magnitude_bits; ++code) {
    const int mantissa = code & ((1 << mantissa_bits) - 1);
    const int exponent = (code >> mantissa_bits) & ((1 << exponent_bits) - 1);
    const int whole = exponent == 0 ? mantissa : mantissa | (1 << mantissa_bits);
    const float magnitude = std::ldexp(static_cast<float>(whole), std::max(exponent, 1) - bias - mantissa_bits);
    values[code] = code >> magnitude_bits ? -magnitude : magnitude;
  }
  return values;
}

// The numbers are decades of evenly spaced means, as create_dynamic_map of bitsandbytes makes them.
std::array<float, 256> DynamicMapValues() {
  std::array<float, 256> values;
  int count = 0;
  for (int decade = 0; decade < 7; ++decade) {
    const int items = 1 << decade;
    const double unit = std::pow(10.0, decade - 6);
    for (int i = 0; i < items; ++i) {
      const double low = 0.1 + 0.9 * i / items, high = 0.1 + 0.9 * (i + 1) / items;
      const float mean = static_cast<float>(unit * (low + high) / 2);
      values[count++] = mean;
      values[count++] = -mean;
    }
  }
  values[count++] = 0;
  values[count++] = 1;
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

CodeBook::CodeBook(absl::string_view name, int bits, const float* values, bool ties_to_even)
    : name_(name), bits_(bits) {
  const int size = 1 << bits;
  std::copy_n(values, size, values_);
  for (int code = 0; code < size; ++code) {
    // Of the two zeros of a float format the positive one is written.
    const bool second_zero = values_[code] == 0 && std::signbit(values_[code]);
    if (IsNumber(static_cast<uint8_t>(code)) && !second_zero) codes_[count_++] = static_cast<uint8_t>(code);
  }
  std::sort(codes_, codes_ + count_, [&](uint8_t a, uint8_t b) { return values_[a] < values_[b]; });
  for (int i = 0; i < count_; ++i) sorted_[i] = values_[codes_[i]];
  for (int i = 0; i + 1 < count_; ++i) {
    thresholds_[i] = (sorted_[i] + sorted_[i + 1]) / 2;
    tie_up_[i] = ties_to_even && codes_[i + 1] % 2 == 0;
  }
  for (uint32_t top = 0; top < std::size(first_); ++top) {
    // The smallest float that begins with these bits: of the negative ones that of the largest magnitude.
    const bool negative = top >= std::size(first_) / 2;
    const float least = std::bit_cast<float>((top << kLowBits) | (negative ? (1u << kLowBits) - 1 : 0));
    first_[top] = static_cast<uint8_t>(std::lower_bound(thresholds_, thresholds_ + count_ - 1, least) - thresholds_);
  }
}

uint8_t CodeBook::Nearest(float value) const {
  int at = first_[std::bit_cast<uint32_t>(value) >> kLowBits];
  while (at < count_ - 1 && thresholds_[at] < value) ++at;
  const bool up = at < count_ - 1 && thresholds_[at] == value && tie_up_[at];
  return codes_[at + (up ? 1 : 0)];
}

const CodeBook& Nf4Book() {
  static const CodeBook* const kBook = new CodeBook("nf4", 4, kNf4.data(), /*ties_to_even=*/false);
  return *kBook;
}

const CodeBook& E2m1Book() {
  static const CodeBook* const kBook = new CodeBook("e2m1", 4, MinifloatValues(2, 1).data(), /*ties_to_even=*/true);
  return *kBook;
}

const CodeBook& E4m3Book() {
  static const CodeBook* const kBook = [] {
    std::array<float, 256> values = MinifloatValues(4, 3);
    values[0x7f] = values[0xff] = kNoNumber;
    return new CodeBook("e4m3", 8, values.data(), /*ties_to_even=*/true);
  }();
  return *kBook;
}

const CodeBook& E5m2Book() {
  static const CodeBook* const kBook = [] {
    std::array<float, 256> values = MinifloatValues(5, 2);
    // Infinity and NaN.
    for (const int code : {0x7c, 0x7d, 0x7e, 0x7f}) values[code] = values[code | 0x80] = kNoNumber;
    return new CodeBook("e5m2", 8, values.data(), /*ties_to_even=*/true);
  }();
  return *kBook;
}

const CodeBook& DynamicMapBook() {
  static const CodeBook* const kBook =
      new CodeBook("dynamic-map", 8, DynamicMapValues().data(), /*ties_to_even=*/false);
  return *kBook;
}

std::span<const CodeBook* const> CodeBooks() {
  static const std::array kBooks = {&Nf4Book(), &E2m1Book(), &E4m3Book(), &E5m2Book(), &DynamicMapBook()};
  return kBooks;
}

const CodeBook* FindCodeBook(absl::string_view name) {
  for (const CodeBook* book : CodeBooks()) {
    if (book->name() == name) return book;
  }
  return nullptr;
}

}  // namespace tersor
