#include "client/cli/remote.h"

#include "absl/strings/str_cat.h"
#include "client/cli/progress_display.h"
#include "client/cli/recipe_input.h"
#include "client/cpp/job_watch.h"
#include "client/cpp/rpc_status.h"

namespace tersor::client {

absl::StatusOr<Connection> Connect(const CommonOptions& common) {
  return Connection::Open(ServerAddress(common.server));
}

ExitCode FailRecipe(const absl::Status& status, RecipeInput& input, Console& console) {
  std::vector<FieldViolation> violations;
  for (const FieldFault& fault : FieldFaults(status)) violations.push_back({fault.field, fault.description});
  if (violations.empty()) return console.Fail(status);
  AddFaults(violations, input);
  ReportFaults(input, console);
  return kExitUsage;
}

absl::StatusOr<v1::Job> FollowJob(const JobClient& jobs, const std::string& id, absl::Time deadline,
                                  const InterruptScope& interrupt, Console& console) {
  ProgressDisplay display(console);
  WatchOptions options;
  options.deadline = deadline;
  options.cancellation = interrupt.token();
  options.on_reconnect = [&](const absl::Status& broken, absl::Duration wait) {
    display.Say(absl::StrCat("connection lost (", broken.message(), "); trying again in ", absl::FormatDuration(wait)));
  };
  return WatchJob(jobs, id, options, [&](const v1::Event& event) { display.Emit(event); });
}

}  // namespace tersor::client
