// What the values of a code book are to the kernels of low_bit_product.h. Private to core/kernels.
#ifndef TERSOR_CORE_KERNELS_LOW_BIT_BOOK_H_
#define TERSOR_CORE_KERNELS_LOW_BIT_BOOK_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "core/kernels/low_bit_product.h"

namespace tersor {

// `book` by code; NaN where a code stands for nothing. 16 values: kBook. 256: kE4m3 or kE5m2 where these are the
// values, else nothing.
std::optional<CodeValues> ClassifyBook(std::span<const float> book);

// See LowBitTiles.
struct BookIntegers {
  std::array<uint8_t, 16> numbers{};
  int zero = 0;
  float step = 0;
};
// Of 16 values that are multiples of the smallest one above zero, at most 15 times as large.
std::optional<BookIntegers> IntegersOfBook(std::span<const float> book);

}  // namespace tersor

#endif  // TERSOR_CORE_KERNELS_LOW_BIT_BOOK_H_
