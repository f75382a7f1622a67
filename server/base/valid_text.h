// Text that may go into a protobuf string.
#ifndef TERSOR_SERVER_BASE_VALID_TEXT_H_
#define TERSOR_SERVER_BASE_VALID_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"

namespace tersor {

// `text` with every byte that is not part of a well-formed UTF-8 character replaced by '?', and cut to at most `limit`
// bytes between characters, with "..." where something was cut off.
std::string ToValidText(absl::string_view text, size_t limit);

}  // namespace tersor

#endif  // TERSOR_SERVER_BASE_VALID_TEXT_H_
