// Checks on text from strangers.
#ifndef TERSOR_CLIENT_RECIPE_UTF8_H_
#define TERSOR_CLIENT_RECIPE_UTF8_H_

#include "absl/strings/string_view.h"
#include "client/recipe/source_map.h"

namespace tersor::client {

// Offset of the first byte that is not part of well-formed UTF-8 (RFC 3629), or npos.
size_t FindInvalidUtf8(absl::string_view text);

SourcePosition PositionOfByte(absl::string_view text, size_t offset);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_RECIPE_UTF8_H_
