#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/commands/commands.h"
#include "client/cli/duration_flag.h"
#include "client/cli/job_text.h"
#include "client/cli/remote.h"

namespace tersor::client {
namespace {

class WatchCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("watch", "Follow a job to its end; the exit code is the job's");
    app.Positional("job", id_, "The job's id", "ID", true);
    app.Option("--timeout", timeout_, "Give up after this time (exit code 7); the job goes on", "TIME");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("Ctrl-C ends the watching, not the job. A connection that breaks is taken up again.");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::Time deadline = absl::InfiniteFuture();
    if (!timeout_.empty()) {
      absl::StatusOr<absl::Duration> timeout = ParseDuration(timeout_, "--timeout");
      if (!timeout.ok()) return console.Fail(timeout.status());
      deadline = absl::Now() + *timeout;
    }
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    InterruptScope interrupt;
    absl::StatusOr<v1::Job> job = FollowJob(JobClient(*connection), id_, deadline, interrupt, console);
    if (interrupt.interrupted()) return interrupt.exit_code();
    if (absl::IsDeadlineExceeded(job.status())) {
      return console.Fail(kExitTimeout, absl::StrCat("job ", id_, " has not ended within ", timeout_, "; it goes on"));
    }
    if (!job.ok()) return console.Fail(job.status());
    if (console.json) {
      console.Json(*job);
    } else {
      console.Out() << JobEnd(*job) << std::endl;
      if (job->state() == v1::JOB_STATE_SUCCEEDED) console.Note(absl::StrCat("report: tersor report ", id_));
    }
    return ExitCodeOf(*job);
  }

 private:
  std::string id_;
  std::string timeout_;
};

}  // namespace

std::unique_ptr<Command> NewWatchCommand() { return std::make_unique<WatchCommand>(); }

}  // namespace tersor::client
