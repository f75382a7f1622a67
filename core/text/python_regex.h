// Regular expressions as Python's `re` reads them, lookaround included: PCRE2 over UTF-8 with Unicode's classes.
#ifndef TERSOR_CORE_TEXT_PYTHON_REGEX_H_
#define TERSOR_CORE_TEXT_PYTHON_REGEX_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// Immutable; copies share the compiled expression. May be used by several threads. What is meant otherwise: Python
// refuses PCRE2's own escapes (\K, \R, \h), and its "[[:alpha:]]" is no class.
class PythonRegex {
 public:
  // INVALID_ARGUMENT names the place in the pattern and what is wrong there.
  static absl::StatusOr<PythonRegex> Compile(absl::string_view pattern);

  // The rest takes UTF-8 (INVALID_ARGUMENT otherwise) and answers RESOURCE_EXHAUSTED where an expression backtracks
  // beyond all reason.

  // Whether the text's beginning matches: re.match.
  absl::StatusOr<bool> MatchesStart(absl::string_view text) const;

  // Whether some part of it does: re.search.
  absl::StatusOr<bool> Finds(absl::string_view text) const;

  // All matches that do not overlap, from the left: re.findall. Each is the groups' texts ("" for one that took no
  // part), or the whole match where the expression has no groups.
  absl::StatusOr<std::vector<std::vector<std::string>>> FindAll(absl::string_view text) const;

  // The text with every match replaced by `replacement`, taken as it stands: re.sub(pattern, lambda m: replacement).
  absl::StatusOr<std::string> ReplaceAll(absl::string_view text, absl::string_view replacement) const;

  const std::string& pattern() const { return pattern_; }

 private:
  struct Code;
  PythonRegex(std::string pattern, std::shared_ptr<const Code> code);

  std::string pattern_;
  std::shared_ptr<const Code> code_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_TEXT_PYTHON_REGEX_H_
