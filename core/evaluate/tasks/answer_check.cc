#include "core/evaluate/tasks/answer_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "core/base/utf8.h"
#include "core/evaluate/metrics/answer_text.h"
#include "core/tokenizer/lowercase.h"

namespace tersor {
namespace {

constexpr absl::string_view kNoMatch = "[invalid]";

std::string Extract(const v1::GenerationSettings& settings, absl::string_view output) {
  const absl::string_view text = StripUnicodeSpace(output);
  if (settings.extract() == "last_number") return ExtractNumber(text, "");
  absl::string_view marker = settings.extract();
  if (absl::ConsumePrefix(&marker, "after:")) return ExtractNumber(text, marker);
  const bool none = !settings.no_answer().empty() && NormalizeAnswer(text) == NormalizeAnswer(settings.no_answer());
  return none ? "" : std::string(text);
}

// As Python's findall gives it: of several groups the first that is not empty.
const std::string* ChosenGroup(const std::vector<std::string>& groups) {
  if (groups.size() == 1) return &groups[0];
  const auto found = std::find_if(groups.begin(), groups.end(), [](const std::string& one) { return !one.empty(); });
  return found == groups.end() ? nullptr : &*found;
}

}  // namespace

absl::StatusOr<AnswerCheck> AnswerCheck::Make(const v1::GenerationSettings& settings) {
  AnswerCheck check(settings);
  for (const v1::AnswerFilter& filter : settings.filters()) {
    TERSOR_ASSIGN_OR_RETURN(PythonRegex regex, PythonRegex::Compile(filter.regex_pattern()));
    check.filters_.push_back({filter, std::move(regex)});
  }
  for (const std::string& pattern : settings.compare().regexes_to_ignore()) {
    TERSOR_ASSIGN_OR_RETURN(PythonRegex regex, PythonRegex::Compile(pattern));
    check.ignored_.push_back(std::move(regex));
  }
  return check;
}

absl::StatusOr<std::string> AnswerCheck::Filtered(const Filter& filter, absl::string_view output) const {
  TERSOR_ASSIGN_OR_RETURN(const auto matches, filter.regex.FindAll(output));
  const int64_t count = static_cast<int64_t>(matches.size()), asked = filter.settings.group_select();
  const int64_t index = asked < 0 ? count + asked : asked;
  const std::string* const group = index < 0 || index >= count ? nullptr : ChosenGroup(matches[index]);
  if (group != nullptr) return std::string(StripUnicodeSpace(*group));
  return filter.settings.fallback().empty() ? std::string(kNoMatch) : filter.settings.fallback();
}

absl::StatusOr<std::string> AnswerCheck::Comparable(absl::string_view text) const {
  std::string plain(text);
  for (const PythonRegex& regex : ignored_) {
    TERSOR_ASSIGN_OR_RETURN(plain, regex.ReplaceAll(plain, ""));
  }
  if (settings_.compare().ignore_case()) plain = Lowercase(plain);
  if (settings_.compare().ignore_punctuation()) {
    std::erase_if(plain, [](char c) { return absl::ascii_ispunct(static_cast<unsigned char>(c)); });
  }
  return plain;
}

absl::StatusOr<bool> AnswerCheck::Accepts(const TaskItem& item, absl::string_view found) const {
  TERSOR_ASSIGN_OR_RETURN(const std::string given, Comparable(found));
  for (const std::string& accepted : AcceptedAnswers(item)) {
    TERSOR_ASSIGN_OR_RETURN(const std::string wanted, Comparable(accepted));
    if (given == wanted) return true;
  }
  return false;
}

absl::Status AnswerCheck::Read(const TaskItem& item, ItemAnswer& answer) const {
  answer.extracted = Extract(settings_, answer.output);
  for (const Filter& filter : filters_) {
    TERSOR_ASSIGN_OR_RETURN(const std::string found, Filtered(filter, answer.output));
    TERSOR_ASSIGN_OR_RETURN(answer.matches[filter.settings.name()], Accepts(item, found));
  }
  if (settings_.has_compare()) {
    TERSOR_ASSIGN_OR_RETURN(answer.matches[std::string(kExactMatchMetric)], Accepts(item, answer.extracted));
  }
  return absl::OkStatus();
}

}  // namespace tersor
