// What `tersor` answers to the shell. The numbers stay for good; docs/cli.md lists them.
#ifndef TERSOR_CLIENT_CLI_EXIT_CODES_H_
#define TERSOR_CLIENT_CLI_EXIT_CODES_H_

#include "absl/status/status.h"
#include "tersor/v1/job_service.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor::client {

enum ExitCode : int {
  // Done; of a job: every gate passed, or there are none.
  kExitPassed = 0,
  // At least one gate failed.
  kExitGateFailed = 1,
  // Wrong usage, an invalid recipe, a name or file that is not there.
  kExitUsage = 2,
  // The job failed.
  kExitJobFailed = 3,
  kExitServerUnreachable = 4,
  // No gate failed, but one could not be decided.
  kExitInconclusive = 5,
  kExitCancelled = 6,
  // --timeout passed before the job's end.
  kExitTimeout = 7,
  // 128 + the signal's number.
  kExitInterrupted = 130,
  kExitTerminated = 143,
};

// Of a call or a local command that ended with `status`.
ExitCode ExitCodeOf(const absl::Status& status);
// INCONCLUSIVE passes where the recipe's gating says so.
ExitCode ExitCodeOf(v1::Verdict verdict, const v1::GatePolicy& gating);
// Of an ended job; the verdict, and what its recipe makes of it, counts where it succeeded.
ExitCode ExitCodeOf(const v1::Job& job);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_EXIT_CODES_H_
