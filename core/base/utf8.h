// Whether bytes are UTF-8.
#ifndef TERSOR_CORE_BASE_UTF8_H_
#define TERSOR_CORE_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// Bytes at the start of `text` that are well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms);
// text.size() when all of it is.
size_t ValidUtf8Prefix(absl::string_view text);

// INVALID_ARGUMENT "not UTF-8 at byte N" unless all of `text` is.
absl::Status CheckUtf8(absl::string_view text);

// The text with U+FFFD in the place of every byte that belongs to no character.
std::string ReplaceInvalidUtf8(absl::string_view text);

// The character of well-formed text that begins at byte `at`, and its bytes; a byte that begins none counts as itself.
std::pair<uint32_t, size_t> NextCharacter(absl::string_view text, size_t at);

// What Python's str.isspace() answers: Unicode's white space and the four ASCII separators.
bool IsUnicodeSpace(uint32_t character);

// Without such characters at either end: str.strip().
absl::string_view StripUnicodeSpace(absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_UTF8_H_
