#include "core/compare/baseline_reference.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace tersor {

absl::StatusOr<BaselineReference> ParseBaselineReference(absl::string_view text) {
  constexpr absl::string_view kForm = "a baseline is job:ID, job:label=KEY, job:label=KEY=VALUE or a report.json";
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat("the baseline is empty; ", kForm));
  BaselineReference reference;
  absl::string_view rest = text;
  if (!absl::ConsumePrefix(&rest, "job:")) {
    reference.path = std::string(text);
    return reference;
  }
  if (!absl::ConsumePrefix(&rest, "label=")) {
    if (rest.empty()) return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" names no job; ", kForm));
    reference.job_id = std::string(rest);
    return reference;
  }
  const size_t equals = rest.find('=');
  reference.label_key = std::string(rest.substr(0, equals));
  if (reference.label_key.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("\"", text, "\" names no label; ", kForm));
  }
  reference.any_value = equals == absl::string_view::npos;
  if (!reference.any_value) reference.label_value = std::string(rest.substr(equals + 1));
  return reference;
}

}  // namespace tersor
