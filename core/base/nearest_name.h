// What to answer to a name that is not known.
#ifndef TERSOR_CORE_BASE_NEAREST_NAME_H_
#define TERSOR_CORE_BASE_NEAREST_NAME_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tersor {

// The known name with the fewest insertions, deletions and replacements from `name`; empty where even that is no likely
// slip (more than a third of the longer name's characters differ).
std::string NearestName(absl::string_view name, const std::vector<std::string>& known);

// What follows the mention of a name that is not known: `; did you mean "bits"? ` where there is a near one (letters'
// case aside), else `; `, then `LIST: a, b, c`.
std::string NameHint(absl::string_view name, const std::vector<std::string>& known, absl::string_view list = "known");

// `metric "kl_men" is not known; did you mean "kl_mean"? known: kl_mean, ...`. `what` is the kind of thing.
std::string UnknownName(absl::string_view what, absl::string_view name, const std::vector<std::string>& known);

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_NEAREST_NAME_H_
