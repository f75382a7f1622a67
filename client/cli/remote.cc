#include "client/cli/remote.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/cli/progress_display.h"
#include "client/cli/recipe_input.h"
#include "client/cpp/job_client.h"
#include "client/cpp/job_watch.h"
#include "client/cpp/rpc_status.h"

namespace tersor::client {
namespace {

// What on the command line sets a field of a request beside its recipe; empty for the recipe's own fields.
std::string FlagOf(absl::string_view field) {
  if (field == "resources.threads") return "--threads";
  if (field == "resources.memory_bytes") return "--memory";
  if (field == "parent") return "--parent";
  if (field == "request_id") return "--request-id";
  if (field == "labels") return "--label";
  if (absl::ConsumePrefix(&field, "labels[") && absl::ConsumeSuffix(&field, "]")) {
    return absl::StrCat("--label ", field, "=...");
  }
  return "";
}

}  // namespace

absl::StatusOr<Connection> Connect(const CommonOptions& common) {
  TERSOR_ASSIGN_OR_RETURN(const ChannelSecurity security, SecurityFromEnvironment(common.token_file));
  return Connection::Open(ServerAddress(common.server), {}, security);
}

ExitCode FailRecipe(const absl::Status& status, RecipeInput& input, Console& console) {
  const std::vector<FieldFault> faults = FieldFaults(status);
  if (faults.empty()) return console.Fail(status);
  std::vector<FieldViolation> violations;
  for (const FieldFault& fault : faults) {
    const std::string flag = FlagOf(fault.field);
    if (flag.empty()) {
      violations.push_back({fault.field, fault.description});
    } else {
      console.Fail(kExitUsage, absl::StrCat(flag, ": ", fault.description));
    }
  }
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
  return WatchJob(jobs, id, options, [&](const v1::Event& event) {
    // Every caller tells the end itself, with more about it.
    if (!IsTerminal(event.state_changed().state())) display.Emit(event);
  });
}

}  // namespace tersor::client
