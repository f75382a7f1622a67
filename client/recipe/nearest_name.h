// Hints for misspelled names.
#ifndef TERSOR_CLIENT_RECIPE_NEAREST_NAME_H_
#define TERSOR_CLIENT_RECIPE_NEAREST_NAME_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tersor::client {

// Smallest number of insertions, deletions, replacements and swaps of neighbours that turns `a` into `b`.
int EditDistance(absl::string_view a, absl::string_view b);

// The name that `word` was probably meant to be; empty where none is near.
std::string NearestName(absl::string_view word, const std::vector<std::string>& names);

// `; did you mean "bits"? ` where there is a near name, else `; `, then `WHAT: a, b, c`.
std::string NameHint(absl::string_view word, const std::vector<std::string>& names, absl::string_view what);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_RECIPE_NEAREST_NAME_H_
