#include "core/evaluate/metrics/entity_match.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tersor {
namespace {

// "per: peter blackburn"; "" where the text is no entity.
std::string Normalized(absl::string_view entity) {
  const size_t colon = entity.find(':');
  if (colon == absl::string_view::npos) return "";
  const absl::string_view type = absl::StripAsciiWhitespace(entity.substr(0, colon));
  const absl::string_view text = absl::StripAsciiWhitespace(entity.substr(colon + 1));
  return type.empty() || text.empty() ? "" : absl::AsciiStrToLower(absl::StrCat(type, ": ", text));
}

}  // namespace

EntityCounts CountEntities(absl::string_view prediction, const std::vector<std::string>& golds) {
  EntityCounts counts;
  std::map<std::string, int> left;
  for (const std::string& gold : golds) {
    if (std::string entity = Normalized(gold); !entity.empty()) {
      ++left[entity];
      ++counts.gold;
    }
  }
  for (absl::string_view part : absl::StrSplit(prediction, absl::ByAnyChar(";\n"))) {
    const std::string entity = Normalized(part);
    if (entity.empty()) continue;
    ++counts.predicted;
    if (const auto found = left.find(entity); found != left.end() && found->second-- > 0) ++counts.right;
  }
  return counts;
}

double EntityF1(const EntityCounts& counts) {
  const double all = counts.predicted + counts.gold;
  return all > 0 ? 2 * counts.right / all : 0;
}

}  // namespace tersor
