#include "core/report/escape.h"

#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

constexpr absl::string_view kReplacement = "\xEF\xBF\xBD";

// One character of the text: its bytes as they stand (U+FFFD for a byte that starts none) and its number.
struct Character {
  absl::string_view bytes;
  uint32_t code = 0;
};

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// The length that a lead byte promises; 0 for one that cannot lead.
size_t SequenceLength(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

Character Take(absl::string_view& text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t length = SequenceLength(lead);
  uint32_t code = length > 1 ? lead & (0xFF >> (length + 1)) : lead;
  bool valid = length > 0 && length <= text.size();
  for (size_t i = 1; valid && i < length; ++i) {
    valid = IsContinuation(text[i]);
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  }
  // Longer spellings than needed, surrogates and numbers past the last character are no UTF-8 either.
  valid = valid && !(length == 3 && (code < 0x800 || (code >= 0xD800 && code <= 0xDFFF))) &&
          !(length == 4 && (code < 0x10000 || code > 0x10FFFF));
  if (!valid) {
    text.remove_prefix(1);
    return {kReplacement, 0xFFFD};
  }
  const Character character = {text.substr(0, length), code};
  text.remove_prefix(length);
  return character;
}

bool IsControl(uint32_t code) { return code < 0x20 || (code >= 0x7F && code <= 0x9F); }

// Reorders what a reader sees.
bool IsBidirectionalOverride(uint32_t code) {
  return (code >= 0x202A && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069);
}

std::string XmlCharacter(const Character& character) {
  switch (character.code) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      break;
  }
  const bool forbidden = (character.code < 0x20 && character.code != '\n' && character.code != '\t') ||
                         character.code == 0xFFFE || character.code == 0xFFFF ||
                         IsBidirectionalOverride(character.code);
  return std::string(forbidden ? kReplacement : character.bytes);
}

std::string MarkdownCharacter(const Character& character) {
  if (IsControl(character.code)) return " ";
  if (IsBidirectionalOverride(character.code)) return std::string(kReplacement);
  // A zero-width space keeps "@name" and "#1" from reaching anybody, and addresses from becoming links.
  if (character.code == '@' || character.code == '#') return absl::StrCat(character.bytes, "\xE2\x80\x8B");
  if (absl::StrContains("\\`*_{}[]<>()!|~$&", character.bytes)) return absl::StrCat("\\", character.bytes);
  return std::string(character.bytes);
}

template <typename Replace>
std::string Map(absl::string_view text, const Replace& replace) {
  std::string out;
  while (!text.empty()) out += replace(Take(text));
  return out;
}

}  // namespace

std::string EscapeXml(absl::string_view text) { return Map(text, XmlCharacter); }

std::string EscapeMarkdown(absl::string_view text) { return Map(text, MarkdownCharacter); }

std::string EscapeTerminal(absl::string_view text) {
  return Map(text, [](const Character& character) {
    const bool hidden = IsControl(character.code) || IsBidirectionalOverride(character.code);
    return hidden ? std::string("?") : std::string(character.bytes);
  });
}

size_t CharacterCount(absl::string_view utf8) {
  size_t count = 0;
  for (const char byte : utf8) count += IsContinuation(byte) ? 0 : 1;
  return count;
}

}  // namespace tersor
