#include "core/base/utf8.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

// Length in bytes of the character that `lead` begins, and the range of its second byte, which is what tells overlong
// forms, surrogates and code points past U+10FFFF from the rest. Length 0: no character begins so.
struct LeadByte {
  int length;
  uint8_t second_min;
  uint8_t second_max;
};

LeadByte Classify(uint8_t lead) {
  if (lead < 0x80) return {1, 0, 0};
  if (lead < 0xC2) return {0, 0, 0};
  if (lead < 0xE0) return {2, 0x80, 0xBF};
  if (lead == 0xE0) return {3, 0xA0, 0xBF};
  if (lead == 0xED) return {3, 0x80, 0x9F};
  if (lead < 0xF0) return {3, 0x80, 0xBF};
  if (lead == 0xF0) return {4, 0x90, 0xBF};
  if (lead < 0xF4) return {4, 0x80, 0xBF};
  if (lead == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

// Bytes of the character at the start of `text`, or 0 where it is none.
size_t CharacterLength(absl::string_view text) {
  const LeadByte lead = Classify(static_cast<uint8_t>(text[0]));
  if (lead.length == 0 || static_cast<size_t>(lead.length) > text.size()) return 0;
  for (int i = 1; i < lead.length; ++i) {
    const auto byte = static_cast<uint8_t>(text[i]);
    const uint8_t low = i == 1 ? lead.second_min : 0x80;
    const uint8_t high = i == 1 ? lead.second_max : 0xBF;
    if (byte < low || byte > high) return 0;
  }
  return lead.length;
}

}  // namespace

size_t ValidUtf8Prefix(absl::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t length = CharacterLength(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

std::string ReplaceInvalidUtf8(absl::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const size_t valid = ValidUtf8Prefix(text);
    clean.append(text.data(), valid);
    text.remove_prefix(valid);
    if (text.empty()) break;
    clean.append("\xEF\xBF\xBD");
    text.remove_prefix(1);
  }
  return clean;
}

absl::Status CheckUtf8(absl::string_view text) {
  const size_t valid = ValidUtf8Prefix(text);
  if (valid == text.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("not UTF-8 at byte ", valid));
}

std::pair<uint32_t, size_t> NextCharacter(absl::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (length == 1 || at + length > text.size()) return {lead, 1};
  uint32_t character = lead & (0xFF >> (length + 1));
  for (size_t i = 1; i < length; ++i) character = character << 6 | (byte(at + i) & 0x3F);
  return {character, length};
}

bool IsUnicodeSpace(uint32_t c) {
  static constexpr std::array<uint32_t, 9> kOthers = {0x20, 0x85, 0xA0, 0x1680, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000};
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || (c >= 0x2000 && c <= 0x200A) ||
         std::find(kOthers.begin(), kOthers.end(), c) != kOthers.end();
}

absl::string_view StripUnicodeSpace(absl::string_view text) {
  size_t begin = text.size(), end = 0;
  for (size_t at = 0; at < text.size();) {
    const auto [character, length] = NextCharacter(text, at);
    if (!IsUnicodeSpace(character)) {
      begin = std::min(begin, at);
      end = at + length;
    }
    at += length;
  }
  return begin < end ? text.substr(begin, end - begin) : absl::string_view();
}

}  // namespace tersor
