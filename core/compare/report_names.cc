#include "core/compare/report_names.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "core/base/utf8.h"
#include "core/recipe/sweep.h"

namespace tersor {
namespace {

// Longer values make no heading.
constexpr size_t kMostCharacters = 40;

std::string Shortened(const std::string& value) {
  size_t at = 0;
  for (size_t characters = 0; at < value.size() && characters < kMostCharacters; ++characters) {
    at += NextCharacter(value, at).second;
  }
  return at < value.size() ? absl::StrCat(value.substr(0, at), "...") : value;
}

// Keys whose values are not the same everywhere.
std::set<std::string> TellingKeys(const std::vector<NamedReport>& reports) {
  std::map<std::string, std::set<std::string>> values;
  std::map<std::string, size_t> holders;
  for (const NamedReport& named : reports) {
    for (const auto& [key, value] : named.report.labels()) {
      values[key].insert(value);
      ++holders[key];
    }
  }
  std::set<std::string> telling;
  for (const auto& [key, seen] : values) {
    if (reports.size() == 1 || seen.size() > 1 || holders[key] < reports.size()) telling.insert(key);
  }
  return telling;
}

}  // namespace

std::string LabelsText(const JobLabels& labels, const std::set<std::string>& keys) {
  std::vector<std::string> words;
  for (const auto& [key, value] : std::map<std::string, std::string>(labels.begin(), labels.end())) {
    if (!keys.empty() && keys.count(key) == 0) continue;
    const std::string name(absl::StripPrefix(key, SweepLabel("")));
    if (key == "name" && !value.empty()) {
      words.insert(words.begin(), Shortened(value));
    } else {
      words.push_back(value.empty() ? name : absl::StrCat(name, "=", Shortened(value)));
    }
  }
  return absl::StrJoin(words, " ");
}

std::vector<std::string> NamesOf(const std::vector<NamedReport>& reports) {
  const std::set<std::string> keys = TellingKeys(reports);
  std::vector<std::string> names;
  for (const NamedReport& named : reports) {
    const std::string labels = keys.empty() || !named.sweep.empty() ? "" : LabelsText(named.report.labels(), keys);
    names.push_back(labels.empty() ? named.name : absl::StrCat(labels, " (", named.name, ")"));
  }
  return names;
}

}  // namespace tersor
