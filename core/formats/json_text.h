// JSON from strangers: parsed without exceptions, duplicate keys refused.
#ifndef TERSOR_CORE_FORMATS_JSON_TEXT_H_
#define TERSOR_CORE_FORMATS_JSON_TEXT_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "nlohmann/json.hpp"

namespace tersor {

// INVALID_ARGUMENT starts with `where` (a file's name) and says what is wrong: not JSON (the line and column, and what
// the text is instead where that can be told), a key that stands twice in one object, nesting deeper than 64, more than
// 2^22 values (which bounds the memory that a text can take). The caller checks the types of what it reads.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, absl::string_view where);

// The same, and the top level is an object.
absl::StatusOr<nlohmann::json> ParseJsonObject(absl::string_view text, absl::string_view where);

// Never fails: bytes that are not UTF-8 are replaced. `indent` -1 is one line.
std::string JsonText(const nlohmann::json& value, int indent = -1);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_JSON_TEXT_H_
