#include "client/cli/exit_codes.h"

namespace tersor::client {

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitPassed;
    case absl::StatusCode::kUnavailable:
    // A server that does not answer in time; --timeout is told apart by whoever sets it.
    case absl::StatusCode::kDeadlineExceeded:
      return kExitServerUnreachable;
    case absl::StatusCode::kCancelled:
      return kExitCancelled;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kUnimplemented:
      return kExitUsage;
    default:
      return kExitJobFailed;
  }
}

ExitCode ExitCodeOf(v1::Verdict verdict, const v1::GatePolicy& gating) {
  switch (verdict) {
    case v1::VERDICT_FAIL:
      return kExitGateFailed;
    case v1::VERDICT_INCONCLUSIVE:
      return gating.on_inconclusive() == "pass" ? kExitPassed : kExitInconclusive;
    default:
      return kExitPassed;
  }
}

ExitCode ExitCodeOf(const v1::Job& job) {
  switch (job.state()) {
    case v1::JOB_STATE_FAILED:
      return kExitJobFailed;
    case v1::JOB_STATE_CANCELLED:
      return kExitCancelled;
    default:
      return ExitCodeOf(job.verdict(), job.recipe().gating());
  }
}

}  // namespace tersor::client
