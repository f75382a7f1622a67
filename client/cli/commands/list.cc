#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "client/cli/commands/commands.h"
#include "client/cli/job_text.h"
#include "client/cli/remote.h"
#include "core/base/nearest_name.h"

namespace tersor::client {
namespace {

class ListCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("list", "Jobs on the server, newest first");
    app.Choice("--state", state_, "Only jobs in this state", {"QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"});
    app.Option("--label", labels_, "Only jobs with this label; may be given several times", "KEY=VALUE");
    app.Option("--method", method_, "Only jobs that use this method", "NAME");
    app.Option("--parent", parent_, "Only parts of this job", "ID");
    app.Option("-n,--limit", limit_, "At most so many; default 50", 1, 1000000);
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("Examples:\n  tersor list --state running\n  tersor list --label team=search -n 10 --output json");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    absl::StatusOr<std::vector<v1::Job>> jobs = JobClient(*connection).List(Filter(), limit_);
    if (!jobs.ok()) return console.Fail(jobs.status());
    if (jobs->empty() && !method_.empty()) {
      absl::Status known = CheckMethod(JobClient(*connection));
      if (!known.ok()) return console.Fail(known);
    }
    if (console.json) {
      v1::ListJobsResponse response;
      for (v1::Job& job : *jobs) *response.add_jobs() = std::move(job);
      console.Json(response);
    } else if (jobs->empty()) {
      console.Note("no jobs");
    } else {
      console.Out() << JobTable(*jobs, absl::Now(), console.width) << std::flush;
    }
    return kExitPassed;
  }

 private:
  // Nobody shall take a slip for an answer.
  absl::Status CheckMethod(const JobClient& jobs) const {
    TERSOR_ASSIGN_OR_RETURN(const v1::ListMethodsResponse methods, jobs.ListMethods());
    std::vector<std::string> known = {"mixed", "kv", "evaluate", "sweep"};
    for (const v1::MethodInfo& method : methods.methods()) known.push_back(method.name());
    if (std::find(known.begin(), known.end(), method_) != known.end()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("--method: ", UnknownName("method", method_, known)));
  }

  std::string Filter() const {
    std::vector<std::string> conditions;
    if (!state_.empty()) conditions.push_back("state=" + state_);
    for (const std::string& label : labels_) conditions.push_back("label." + label);
    if (!method_.empty()) conditions.push_back("method=" + method_);
    if (!parent_.empty()) conditions.push_back("parent=" + parent_);
    return absl::StrJoin(conditions, " AND ");
  }

  std::string state_;
  std::vector<std::string> labels_;
  std::string method_;
  std::string parent_;
  int limit_ = 50;
};

}  // namespace

std::unique_ptr<Command> NewListCommand() { return std::make_unique<ListCommand>(); }

}  // namespace tersor::client
