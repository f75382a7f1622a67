#include "absl/time/clock.h"
#include "client/cli/commands/commands.h"
#include "client/cli/job_text.h"
#include "client/cli/remote.h"

namespace tersor::client {
namespace {

class StatusCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("status", "One job: state, progress, reason");
    app.Positional("job", id_, "The job's id", "ID", true);
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("The exit code tells whether the server answered, not how the job fares; `tersor watch` does that.");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    absl::StatusOr<v1::Job> job = JobClient(*connection).Get(id_);
    if (!job.ok()) return console.Fail(job.status());
    if (console.json) {
      console.Json(*job);
    } else {
      console.Out() << JobDetails(*job, absl::Now()) << std::flush;
    }
    return kExitPassed;
  }

 private:
  std::string id_;
};

}  // namespace

std::unique_ptr<Command> NewStatusCommand() { return std::make_unique<StatusCommand>(); }

}  // namespace tersor::client
