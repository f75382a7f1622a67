#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/text/python_regex.h"

#include <pcre2.h>

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "core/base/utf8.h"

namespace tersor {

struct PythonRegex::Code {
  explicit Code(pcre2_code* owned) : code(owned) {}
  ~Code() { pcre2_code_free(code); }
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  pcre2_code* code;
};

namespace {

constexpr size_t kLongestPattern = size_t{1} << 14;
constexpr uint32_t kMostSteps = 2'000'000;
constexpr uint32_t kMostKibibytes = 64 * 1024;

using MatchData = std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)>;
using Bounds = std::pair<size_t, size_t>;

PCRE2_SPTR Units(absl::string_view text) { return reinterpret_cast<PCRE2_SPTR>(text.data()); }

std::string ErrorWords(int code) {
  std::array<PCRE2_UCHAR, 256> words{};
  pcre2_get_error_message(code, words.data(), words.size());
  return reinterpret_cast<const char*>(words.data());
}

// Whether `rest` begins with a count that has no least: {,3}.
bool IsCountFromZero(absl::string_view rest) {
  if (!absl::ConsumePrefix(&rest, "{,")) return false;
  return absl::StartsWith(rest.substr(std::min(rest.find_first_not_of("0123456789"), rest.size())), "}");
}

// The character class that `rest` begins with, without the bracket that closes it. One that comes first is a member.
absl::string_view ClassWithoutEnd(absl::string_view rest) {
  size_t i = absl::StartsWith(rest, "[^") ? 2 : 1;
  for (const size_t first = i; i < rest.size() && (rest[i] != ']' || i == first); ++i) {
    if (rest[i] == '\\') ++i;
  }
  return rest.substr(0, i);
}

// Python's \Z is the very end; PCRE2 spells that \z, and its \Z is also before a last new line. Python's {,3} is
// {0,3}; PCRE2 before 10.43 takes it for text.
std::string InPcre2sSpelling(absl::string_view pattern) {
  std::string spelled;
  for (size_t i = 0; i < pattern.size();) {
    const absl::string_view rest = pattern.substr(i);
    absl::string_view taken = rest.substr(0, 1);
    if (rest[0] == '\\') taken = rest.substr(0, 2);
    if (rest[0] == '[') taken = ClassWithoutEnd(rest);
    absl::StrAppend(&spelled, taken == "\\Z" ? "\\z" : taken, IsCountFromZero(rest) ? "0" : "");
    i += taken.size();
  }
  return spelled;
}

const pcre2_match_context* Limits() {
  static const pcre2_match_context* const limits = [] {
    pcre2_match_context* context = pcre2_match_context_create(nullptr);
    pcre2_set_match_limit(context, kMostSteps);
    pcre2_set_heap_limit(context, kMostKibibytes);
    return context;
  }();
  return limits;
}

// One search at a time over a text that is known to be UTF-8.
class Search {
 public:
  Search(const pcre2_code* code, absl::string_view text)
      : code_(code), text_(text), data_(pcre2_match_data_create_from_pattern(code, nullptr), pcre2_match_data_free) {}

  // Whether there is a match at or after byte `from`.
  absl::StatusOr<bool> Next(size_t from, uint32_t options) {
    const int found = pcre2_match(code_, Units(text_), text_.size(), from, options | PCRE2_NO_UTF_CHECK, data_.get(),
                                  const_cast<pcre2_match_context*>(Limits()));
    if (found == PCRE2_ERROR_NOMATCH) return false;
    if (found < 0) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the regular expression gave up on a text of ", text_.size(), " bytes: ", ErrorWords(found)));
    }
    return true;
  }

  Bounds Group(uint32_t group) const {
    const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(data_.get());
    return {bounds[2 * group], bounds[2 * group + 1]};
  }
  std::string Text(uint32_t group) const {
    const auto [begin, end] = Group(group);
    return begin == PCRE2_UNSET ? "" : std::string(text_.substr(begin, end - begin));
  }
  uint32_t groups() const { return pcre2_get_ovector_count(data_.get()) - 1; }

 private:
  const pcre2_code* code_;
  absl::string_view text_;
  MatchData data_;
};

// Calls `visit` at every match from the left. As Python 3.7 and later: an empty match may touch the one before it, but
// not begin where an empty one began.
absl::Status ForEachMatch(const pcre2_code* code, absl::string_view text,
                          const std::function<void(const Search&)>& visit) {
  TERSOR_RETURN_IF_ERROR(CheckUtf8(text));
  Search search(code, text);
  uint32_t options = 0;
  for (size_t from = 0; from <= text.size();) {
    TERSOR_ASSIGN_OR_RETURN(const bool found, search.Next(from, options));
    if (!found && options == 0) break;
    if (!found) {
      // Nothing but an empty match begins here: go on behind this character.
      from += from < text.size() ? NextCharacter(text, from).second : 1;
      options = 0;
      continue;
    }
    visit(search);
    const auto [begin, end] = search.Group(0);
    from = std::max(begin, end);
    options = begin == end ? PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED : 0;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> FindsOnce(const pcre2_code* code, absl::string_view text, uint32_t options) {
  TERSOR_RETURN_IF_ERROR(CheckUtf8(text));
  return Search(code, text).Next(0, options);
}

}  // namespace

PythonRegex::PythonRegex(std::string pattern, std::shared_ptr<const Code> code)
    : pattern_(std::move(pattern)), code_(std::move(code)) {}

absl::StatusOr<PythonRegex> PythonRegex::Compile(absl::string_view pattern) {
  if (pattern.size() > kLongestPattern) {
    return absl::InvalidArgumentError(
        absl::StrCat("the regular expression has ", pattern.size(), " bytes; at most ", kLongestPattern, " are read"));
  }
  TERSOR_RETURN_IF_ERROR(Annotate(CheckUtf8(pattern), "the regular expression"));
  const std::string spelled = InPcre2sSpelling(pattern);
  int error = 0;
  PCRE2_SIZE place = 0;
  pcre2_code* const code = pcre2_compile(Units(spelled), spelled.size(),
                                         PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &place, nullptr);
  if (code == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("the regular expression \"", pattern, "\" is wrong at character ",
                                                   place, ": ", ErrorWords(error)));
  }
  return PythonRegex(std::string(pattern), std::make_shared<const Code>(code));
}

absl::StatusOr<bool> PythonRegex::MatchesStart(absl::string_view text) const {
  return FindsOnce(code_->code, text, PCRE2_ANCHORED);
}

absl::StatusOr<bool> PythonRegex::Finds(absl::string_view text) const { return FindsOnce(code_->code, text, 0); }

absl::StatusOr<std::vector<std::vector<std::string>>> PythonRegex::FindAll(absl::string_view text) const {
  std::vector<std::vector<std::string>> matches;
  TERSOR_RETURN_IF_ERROR(ForEachMatch(code_->code, text, [&](const Search& match) {
    std::vector<std::string>& groups = matches.emplace_back();
    for (uint32_t i = 1; i <= match.groups(); ++i) groups.push_back(match.Text(i));
    if (groups.empty()) groups.push_back(match.Text(0));
  }));
  return matches;
}

absl::StatusOr<std::string> PythonRegex::ReplaceAll(absl::string_view text, absl::string_view replacement) const {
  std::string replaced;
  size_t copied = 0;
  TERSOR_RETURN_IF_ERROR(ForEachMatch(code_->code, text, [&](const Search& match) {
    const auto [begin, end] = match.Group(0);
    absl::StrAppend(&replaced, text.substr(copied, begin - copied), replacement);
    copied = end;
  }));
  absl::StrAppend(&replaced, text.substr(copied));
  return replaced;
}

}  // namespace tersor
