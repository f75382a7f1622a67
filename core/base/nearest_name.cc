#include "core/base/nearest_name.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tersor {
namespace {

// Longer names are no slips, and the cost is quadratic.
constexpr size_t kMaxLength = 128;

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string NearestName(absl::string_view name, const std::vector<std::string>& known) {
  std::string nearest;
  size_t least = 0;
  if (name.size() > kMaxLength) return nearest;
  for (const std::string& candidate : known) {
    if (candidate.size() > kMaxLength) continue;
    const size_t distance = EditDistance(name, candidate);
    if (3 * distance > std::max(name.size(), candidate.size())) continue;
    if (nearest.empty() || distance < least) {
      nearest = candidate;
      least = distance;
    }
  }
  return nearest;
}

std::string NameHint(absl::string_view name, const std::vector<std::string>& known, absl::string_view list) {
  const std::string nearest = NearestName(absl::AsciiStrToLower(name), known);
  return absl::StrCat(nearest.empty() ? "; " : absl::StrCat("; did you mean \"", nearest, "\"? "), list, ": ",
                      absl::StrJoin(known, ", "));
}

std::string UnknownName(absl::string_view what, absl::string_view name, const std::vector<std::string>& known) {
  return absl::StrCat(what, " \"", name, "\" is not known", NameHint(name, known));
}

}  // namespace tersor
