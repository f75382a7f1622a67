// Whether bytes are UTF-8.
#ifndef TERSOR_CORE_BASE_UTF8_H_
#define TERSOR_CORE_BASE_UTF8_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// Bytes at the start of `text` that are well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms);
// text.size() when all of it is.
size_t ValidUtf8Prefix(absl::string_view text);

// INVALID_ARGUMENT "not UTF-8 at byte N" unless all of `text` is.
absl::Status CheckUtf8(absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_UTF8_H_
