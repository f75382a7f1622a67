#include "core/yaml/json_escapes.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace tersor {
namespace {

constexpr size_t kEscapeLength = 6;

// The value of the `\uXXXX` at `at`; 0 where there is none.
uint32_t EscapeAt(absl::string_view text, size_t at) {
  if (text.size() - at < kEscapeLength || text[at] != '\\' || text[at + 1] != 'u') return 0;
  uint32_t value = 0;
  return absl::SimpleHexAtoi(text.substr(at + 2, 4), &value) ? value : 0;
}

// The character whose halves stand at `at`; 0 where there is no pair.
uint32_t PairAt(absl::string_view text, size_t at) {
  const uint32_t high = EscapeAt(text, at);
  if (high < 0xD800 || high > 0xDBFF) return 0;
  const uint32_t low = EscapeAt(text, at + kEscapeLength);
  if (low < 0xDC00 || low > 0xDFFF) return 0;
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

}  // namespace

std::string JoinSurrogateEscapes(absl::string_view text) {
  const bool may_have = absl::StrContains(text, "\\ud") || absl::StrContains(text, "\\uD");
  if (!may_have || !nlohmann::json::accept(text.begin(), text.end())) return std::string(text);
  std::string joined;
  for (size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      joined.push_back(text[i++]);
    } else if (const uint32_t character = PairAt(text, i); character != 0) {
      absl::StrAppend(&joined, "\\U", absl::Hex(character, absl::kZeroPad8));
      i += 2 * kEscapeLength;
    } else {
      // An escape is two bytes at least: what follows a backslash begins none.
      joined.append(text.data() + i, 2);
      i += 2;
    }
  }
  return joined;
}

}  // namespace tersor
