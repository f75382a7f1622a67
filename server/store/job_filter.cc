#include "server/store/job_filter.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/store/job_state.h"

namespace tersor {
namespace {

constexpr absl::string_view kLabelPrefix = "label.";

// Words split at spaces; a quoted part keeps its spaces and loses its quotes.
absl::StatusOr<std::vector<std::string>> SplitWords(absl::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool started = false;
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
      started = true;
    } else if (absl::ascii_isspace(c) && !quoted) {
      if (started) words.push_back(std::move(word));
      word.clear();
      started = false;
    } else {
      word.push_back(c);
      started = true;
    }
  }
  if (quoted) return absl::InvalidArgumentError("a double quote is not closed");
  if (started) words.push_back(std::move(word));
  return words;
}

absl::Status AddCondition(absl::string_view condition, JobFilter& filter) {
  const size_t equals = condition.find('=');
  if (equals == absl::string_view::npos || equals == 0) {
    return absl::InvalidArgumentError(absl::StrCat("\"", condition, "\" is not of the form KEY=VALUE"));
  }
  const absl::string_view key = condition.substr(0, equals);
  const std::string value(condition.substr(equals + 1));
  if (key == "state") {
    TERSOR_ASSIGN_OR_RETURN(filter.state, ParseJobState(value));
  } else if (key == "parent") {
    filter.parent = value;
  } else if (key == "method") {
    filter.method = value;
  } else if (absl::StartsWith(key, kLabelPrefix) && key.size() > kLabelPrefix.size()) {
    filter.labels[std::string(absl::StripPrefix(key, kLabelPrefix))] = value;
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown key \"", key, "\": use state, method, parent or label.KEY"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<JobFilter> ParseJobFilter(absl::string_view text) {
  JobFilter filter;
  TERSOR_ASSIGN_OR_RETURN(const std::vector<std::string> words, SplitWords(text));
  for (size_t i = 0; i < words.size(); ++i) {
    if (i % 2 == 0) {
      TERSOR_RETURN_IF_ERROR(AddCondition(words[i], filter));
    } else if (words[i] != "AND") {
      return absl::InvalidArgumentError(absl::StrCat("expected AND before \"", words[i], "\""));
    }
  }
  if (!words.empty() && words.size() % 2 == 0) return absl::InvalidArgumentError("nothing follows the last AND");
  return filter;
}

}  // namespace tersor
