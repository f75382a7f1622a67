#include "server/worker/failure.h"

#include <string>

#include "core/base/utf8.h"
#include "server/base/error_details.h"

namespace tersor {
namespace {

struct CodeTraits {
  const char* reason;
  bool retryable;
};

CodeTraits TraitsOf(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return {"INVALID_INPUT", false};
    case absl::StatusCode::kNotFound:
      return {"INPUT_NOT_FOUND", false};
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return {"PERMISSION_DENIED", false};
    case absl::StatusCode::kUnimplemented:
      return {"UNSUPPORTED", false};
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
      return {"FAILED_PRECONDITION", false};
    case absl::StatusCode::kDataLoss:
      return {"VERIFICATION_FAILED", false};
    case absl::StatusCode::kCancelled:
      return {"CANCELLED", true};
    case absl::StatusCode::kResourceExhausted:
      return {kFullDiskReason, true};
    default:
      return {"INTERNAL", true};
  }
}

}  // namespace

v1::CompleteAttemptRequest::Failure ToFailure(const absl::Status& status) {
  const CodeTraits traits = TraitsOf(status.code());
  v1::CompleteAttemptRequest::Failure failure;
  failure.set_code(static_cast<int>(status.code()));
  failure.set_message(ReplaceInvalidUtf8(status.message()));
  const std::string own_reason = ReasonOf(status);
  failure.set_reason(own_reason.empty() ? traits.reason : own_reason);
  failure.set_retryable(traits.retryable);
  return failure;
}

}  // namespace tersor
