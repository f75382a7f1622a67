#include "core/kernels/low_bit_book.h"

#include <algorithm>
#include <cmath>

#include "core/tensor/float16.h"

namespace tersor {
namespace {

constexpr float kLargestNumber = 15;

// As the kernels turn codes into numbers.
float MinifloatValue(CodeValues values, int code) {
  if (values == CodeValues::kE5m2) return F16ToFloat(static_cast<uint16_t>(code << 8));
  return F16ToFloat(static_cast<uint16_t>((code & 0x80) << 8 | (code & 0x7f) << 7)) * kE4m3Factor;
}

}  // namespace

std::optional<CodeValues> ClassifyBook(std::span<const float> book) {
  if (book.size() == 16) return CodeValues::kBook;
  if (book.size() != 256) return std::nullopt;
  for (const CodeValues values : {CodeValues::kE4m3, CodeValues::kE5m2}) {
    int differ = 0;
    for (int code = 0; code < 256; ++code) {
      differ += !std::isnan(book[code]) && book[code] != MinifloatValue(values, code);
    }
    if (differ == 0) return values;
  }
  return std::nullopt;
}

std::optional<BookIntegers> IntegersOfBook(std::span<const float> book) {
  if (book.size() != 16) return std::nullopt;
  BookIntegers integers;
  float largest = 0;
  for (const float value : book) {
    if (value > 0 && (integers.step == 0 || value < integers.step)) integers.step = value;
    largest = std::max(largest, std::abs(value));
  }
  if (integers.step == 0 || !(largest <= kLargestNumber * integers.step)) return std::nullopt;
  integers.zero = static_cast<int>(std::lround(largest / integers.step));
  for (size_t code = 0; code < 16; ++code) {
    const long number = std::lround(book[code] / integers.step);
    if (static_cast<float>(number) * integers.step != book[code]) return std::nullopt;
    integers.numbers[code] = static_cast<uint8_t>(number + integers.zero);
  }
  return integers;
}

}  // namespace tersor
