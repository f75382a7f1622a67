#include "core/yaml/name_hint.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/nearest_name.h"

namespace tersor {

std::string NameHint(absl::string_view word, const std::vector<std::string>& names, absl::string_view what) {
  std::string nearest = NearestName(absl::AsciiStrToLower(word), names);
  return absl::StrCat(nearest.empty() ? "; " : absl::StrCat("; did you mean \"", nearest, "\"? "), what, ": ",
                      absl::StrJoin(names, ", "));
}

}  // namespace tersor
