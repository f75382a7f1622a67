#include "core/compress/quantize/option_checks.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace tersor {

void OptionChecks::Fault(absl::string_view option, std::string description) const {
  violations.push_back({absl::StrCat(field, ".", option), std::move(description)});
}

void OptionChecks::InRange(absl::string_view option, double value, double low, double high) const {
  // Written so that NaN is refused.
  if (value >= low && value <= high) return;
  Fault(option, absl::StrCat("must be ", low, " to ", high, ", got ", value));
}

void OptionChecks::GroupSize(absl::string_view option, int64_t group_size) const {
  if (group_size == -1 || group_size >= 1) return;
  Fault(option, absl::StrCat("must be -1 (one scale a row) or at least 1, got ", group_size));
}

void OptionChecks::OneOf(absl::string_view option, absl::string_view value,
                         const std::vector<absl::string_view>& known) const {
  if (std::find(known.begin(), known.end(), value) != known.end()) return;
  Fault(option, absl::StrCat("unknown value \"", value, "\"; known: ", absl::StrJoin(known, ", ")));
}

}  // namespace tersor
