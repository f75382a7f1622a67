#include "client/recipe/utf8.h"

#include <algorithm>
#include <cstdint>

namespace tersor::client {
namespace {

// Bytes of the sequence that `first` begins, 0 where none can begin so.
int SequenceLength(uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

// Overlong forms, surrogates and code points past U+10FFFF show in the second byte.
bool SecondByteFits(uint8_t first, uint8_t second) {
  uint8_t low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  uint8_t high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  return second >= low && second <= high;
}

}  // namespace

size_t FindInvalidUtf8(absl::string_view text) {
  auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  for (size_t i = 0; i < text.size();) {
    int length = SequenceLength(byte(i));
    if (length == 0 || i + length > text.size()) return i;
    if (length > 1 && !SecondByteFits(byte(i), byte(i + 1))) return i;
    for (int k = 2; k < length; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return i;
    }
    i += length;
  }
  return absl::string_view::npos;
}

SourcePosition PositionOfByte(absl::string_view text, size_t offset) {
  absl::string_view before = text.substr(0, offset);
  size_t line_start = before.rfind('\n');
  line_start = line_start == absl::string_view::npos ? 0 : line_start + 1;
  return {static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
          static_cast<int>(offset - line_start) + 1};
}

}  // namespace tersor::client
