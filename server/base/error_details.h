// What an error carries beside code and message, held as payloads of absl::Status until the RPC edge turns them into
// the details of google.rpc.Status.
#ifndef TERSOR_SERVER_BASE_ERROR_DETAILS_H_
#define TERSOR_SERVER_BASE_ERROR_DETAILS_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/field_violation.h"
#include "core/base/status.h"

namespace tersor {

inline constexpr absl::string_view kErrorDomain = "tersor.v1";
// The reason of an attempt that ended because there was no room on the disk.
inline constexpr char kFullDiskReason[] = "RESOURCE_EXHAUSTED";

// Adds a google.rpc.ErrorInfo: `reason` is a stable UPPER_SNAKE_CASE name that programs may test for.
absl::Status WithReason(absl::Status status, absl::string_view reason,
                        const std::vector<std::pair<std::string, std::string>>& metadata = {});

// The reason that WithReason gave; empty where there is none.
std::string ReasonOf(const absl::Status& status);

// INVALID_ARGUMENT with a google.rpc.BadRequest that lists every violation, and the reason.
absl::Status BadRequestError(const std::vector<FieldViolation>& violations, absl::string_view reason);

// The same for one field of a request.
absl::Status FieldError(absl::string_view field, absl::string_view description);

}  // namespace tersor

#endif  // TERSOR_SERVER_BASE_ERROR_DETAILS_H_
