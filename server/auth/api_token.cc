#include "server/auth/api_token.h"

#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "server/base/random_token.h"

namespace tersor {
namespace {

constexpr absl::string_view kPrefix = "tsr_";
constexpr absl::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr int kSecretBytes = 32;
// 62^43 > 2^256, 62^6 > 2^32.
constexpr size_t kSecretDigits = 43;
constexpr size_t kChecksumDigits = 6;
constexpr size_t kIdDigits = 12;

// A big-endian number in base 62, with leading zeros up to `digits`.
std::string Base62(std::string bytes, size_t digits) {
  std::string text(digits, kDigits[0]);
  for (size_t position = digits; position > 0; --position) {
    uint32_t rest = 0;
    for (char& byte : bytes) {
      const uint32_t value = rest << 8 | static_cast<uint8_t>(byte);
      byte = static_cast<char>(value / 62);
      rest = value % 62;
    }
    text[position - 1] = kDigits[rest];
  }
  return text;
}

std::string Checksum(absl::string_view text) {
  return Base62(absl::HexStringToBytes(Sha256Hex(text).substr(0, 8)), kChecksumDigits);
}

}  // namespace

std::string NewApiToken() {
  const std::string secret = absl::HexStringToBytes(RandomHex(kSecretBytes));
  const std::string text = absl::StrCat(kPrefix, Base62(secret, kSecretDigits));
  return absl::StrCat(text, Checksum(text));
}

bool IsApiToken(absl::string_view text) {
  constexpr size_t kTextDigits = kPrefix.size() + kSecretDigits;
  if (text.size() != kTextDigits + kChecksumDigits || !absl::StartsWith(text, kPrefix)) return false;
  return Checksum(text.substr(0, kTextDigits)) == text.substr(kTextDigits);
}

std::string ApiTokenSha256(absl::string_view token) { return Sha256Hex(token); }

std::string ApiTokenId(absl::string_view sha256) { return std::string(sha256.substr(0, kIdDigits)); }

}  // namespace tersor
