// The one escape of JSON that YAML does not have.
#ifndef TERSOR_CORE_YAML_JSON_ESCAPES_H_
#define TERSOR_CORE_YAML_JSON_ESCAPES_H_

#include <string>

#include "absl/strings/string_view.h"

namespace tersor {

// JSON spells characters past U+FFFF as two halves (`\ud83d\ude00`), which a YAML parser refuses one by one. Where
// `text` is JSON, such pairs become YAML's `\U0001f600`, two columns shorter; any other text comes back as it is.
std::string JoinSurrogateEscapes(absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_CORE_YAML_JSON_ESCAPES_H_
