// What a message says after a name that is not known.
#ifndef TERSOR_CORE_YAML_NAME_HINT_H_
#define TERSOR_CORE_YAML_NAME_HINT_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tersor {

// `; did you mean "bits"? ` where there is a near name, else `; `, then `WHAT: a, b, c`.
std::string NameHint(absl::string_view word, const std::vector<std::string>& names, absl::string_view what);

}  // namespace tersor

#endif  // TERSOR_CORE_YAML_NAME_HINT_H_
