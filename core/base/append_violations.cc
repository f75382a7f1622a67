#include "core/base/append_violations.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace tersor {

void AppendNewFields(std::vector<FieldViolation> more, std::vector<FieldViolation>& violations) {
  const auto before = static_cast<std::ptrdiff_t>(violations.size());
  for (FieldViolation& violation : more) {
    const auto end = violations.begin() + before;
    const bool known = std::any_of(violations.begin(), end,
                                   [&](const FieldViolation& earlier) { return earlier.field == violation.field; });
    if (!known) violations.push_back(std::move(violation));
  }
}

}  // namespace tersor
