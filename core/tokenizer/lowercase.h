// Lower case as Python's str.lower() makes it.
#ifndef TERSOR_CORE_TOKENIZER_LOWERCASE_H_
#define TERSOR_CORE_TOKENIZER_LOWERCASE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace tersor {

// Unicode's full lower-casing of UTF-8 (a final sigma as such, one character may become two); bytes that are not UTF-8
// become U+FFFD.
std::string Lowercase(absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_CORE_TOKENIZER_LOWERCASE_H_
