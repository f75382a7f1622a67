// The secret that a client shows: "tsr_", 32 random bytes, a checksum.
#ifndef TERSOR_SERVER_AUTH_API_TOKEN_H_
#define TERSOR_SERVER_AUTH_API_TOKEN_H_

#include <string>

#include "absl/strings/string_view.h"

namespace tersor {

// "tsr_" and 49 digits and letters: 43 for 256 random bits from the system's cryptographic generator, 6 for a checksum,
// so that scanners of source code and logs can tell a token from other words.
std::string NewApiToken();

// Whether the text has this form and its checksum is right: a word that was cut off or mistyped needs no look-up.
bool IsApiToken(absl::string_view text);

// What is stored of a token, and the part of it that names the token.
std::string ApiTokenSha256(absl::string_view token);
std::string ApiTokenId(absl::string_view sha256);

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_API_TOKEN_H_
