#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/job_text.h"
#include "client/cli/remote.h"

namespace tersor::client {
namespace {

class CancelCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("cancel", "Stop jobs; a job that has ended stays as it is");
    app.Positionals("jobs", ids_, "The jobs' ids", "ID...");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer(
        "A job that runs stops within two seconds; what it had finished stays in its checkpoint until `tersor gc`.\n\n"
        "Example:\n  tersor cancel JOB1 JOB2");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    JobClient jobs(*connection);
    v1::ListJobsResponse cancelled;
    int code = kExitPassed;
    for (const std::string& id : ids_) {
      absl::StatusOr<v1::Job> job = jobs.Cancel(id);
      if (!job.ok()) {
        code = console.Fail(job.status());
        if (code == kExitServerUnreachable) break;
        continue;
      }
      if (!console.json) console.Out() << id << " " << CancelWord(*job) << std::endl;
      *cancelled.add_jobs() = *std::move(job);
    }
    if (console.json) console.Json(cancelled);
    return code;
  }

 private:
  std::vector<std::string> ids_;
};

}  // namespace

std::unique_ptr<Command> NewCancelCommand() { return std::make_unique<CancelCommand>(); }

}  // namespace tersor::client
