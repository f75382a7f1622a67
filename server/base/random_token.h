// Unguessable names and secrets.
#ifndef TERSOR_SERVER_BASE_RANDOM_TOKEN_H_
#define TERSOR_SERVER_BASE_RANDOM_TOKEN_H_

#include <string>

#include "absl/strings/string_view.h"

namespace tersor {

// 2 * `bytes` hexadecimal digits from the system's cryptographic generator.
std::string RandomHex(int bytes);

// Takes the same time wherever the strings differ. Strings of unequal length differ at once.
bool ConstantTimeEqual(absl::string_view a, absl::string_view b);

}  // namespace tersor

#endif  // TERSOR_SERVER_BASE_RANDOM_TOKEN_H_
