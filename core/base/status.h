// Macros that pass errors on. Every fallible function of Tersor returns absl::Status or absl::StatusOr.
#ifndef TERSOR_CORE_BASE_STATUS_H_
#define TERSOR_CORE_BASE_STATUS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#define TERSOR_STATUS_CONCAT_INNER(a, b) a##b
#define TERSOR_STATUS_CONCAT(a, b) TERSOR_STATUS_CONCAT_INNER(a, b)

// Returns the status of `expression` from the enclosing function unless it is OK.
#define TERSOR_RETURN_IF_ERROR(expression)                                                    \
  do {                                                                                        \
    if (absl::Status tersor_status = (expression); !tersor_status.ok()) return tersor_status; \
  } while (false)

// `TERSOR_ASSIGN_OR_RETURN(auto x, F())`: x is F's value, or F's error is returned.
#define TERSOR_ASSIGN_OR_RETURN(target, expression) \
  TERSOR_ASSIGN_OR_RETURN_IMPL(TERSOR_STATUS_CONCAT(tersor_statusor_, __LINE__), target, expression)
#define TERSOR_ASSIGN_OR_RETURN_IMPL(statusor, target, expression) \
  auto statusor = (expression);                                    \
  if (!statusor.ok()) return std::move(statusor).status();         \
  target = *std::move(statusor)

namespace tersor {

// The same code, with "context: " before the message; CANCELLED, which is no fault of the context, as it is.
absl::Status Annotate(const absl::Status& status, absl::string_view context);

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_STATUS_H_
