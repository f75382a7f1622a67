#include "client/recipe/nearest_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tersor::client {

int EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<std::vector<int>> d(a.size() + 1, std::vector<int>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      int replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::string NearestName(absl::string_view word, const std::vector<std::string>& names) {
  constexpr size_t kLongestWord = 64;
  if (word.empty() || word.size() > kLongestWord) return "";
  std::string lower = absl::AsciiStrToLower(word);
  int best = 1 + static_cast<int>(word.size()) / 3;
  std::string nearest;
  for (const std::string& name : names) {
    int distance = EditDistance(lower, name);
    if (distance < best || (distance == best && nearest.empty())) {
      best = distance;
      nearest = name;
    }
  }
  return nearest;
}

std::string NameHint(absl::string_view word, const std::vector<std::string>& names, absl::string_view what) {
  std::string nearest = NearestName(word, names);
  return absl::StrCat(nearest.empty() ? "; " : absl::StrCat("; did you mean \"", nearest, "\"? "), what, ": ",
                      absl::StrJoin(names, ", "));
}

}  // namespace tersor::client
