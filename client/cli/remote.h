// What the commands that talk to a server share.
#ifndef TERSOR_CLIENT_CLI_REMOTE_H_
#define TERSOR_CLIENT_CLI_REMOTE_H_

#include <string>

#include "absl/time/time.h"
#include "client/cli/command.h"
#include "client/cli/interrupt.h"
#include "client/cpp/connection.h"
#include "client/cpp/job_client.h"

namespace tersor::client {

absl::StatusOr<Connection> Connect(const CommonOptions& common);

// Prints a server's refusal of a recipe with the lines of its faults, or any other error; answers the exit code.
struct RecipeInput;
ExitCode FailRecipe(const absl::Status& status, RecipeInput& input, Console& console);

// Shows a job's progress until its end. CANCELLED after an interrupt, DEADLINE_EXCEEDED at `deadline`.
absl::StatusOr<v1::Job> FollowJob(const JobClient& jobs, const std::string& id, absl::Time deadline,
                                  const InterruptScope& interrupt, Console& console);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_REMOTE_H_
