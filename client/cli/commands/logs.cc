#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/remote.h"

namespace tersor::client {
namespace {

class LogsCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("logs", "What a job's workers wrote to standard error");
    app.Positional("job", id_, "The job's id", "ID", true);
    app.Option("--attempt", attempt_, "Only this attempt", 1, 1000000);
    AddServerOption(app, common);
    app.Footer(
        "Lines are JSON objects with time, level, message and job. Logs are kept as long as the job, failed attempts' "
        "too.\n\nExample:\n  tersor logs JOB --attempt 1");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    int shown = 0;
    absl::Status status = JobClient(*connection).Logs(id_, [&](const v1::LogChunk& chunk) {
      if (attempt_ != 0 && chunk.attempt() != attempt_) return;
      if (attempt_ == 0 && chunk.attempt() != shown) console.Note(absl::StrCat("-- attempt ", chunk.attempt()));
      shown = chunk.attempt();
      console.Out() << chunk.text();
    });
    console.Out() << std::flush;
    if (!status.ok()) return console.Fail(status);
    if (shown != 0) return kExitPassed;
    absl::StatusOr<v1::Job> job = JobClient(*connection).Get(id_);
    if (!job.ok()) return console.Fail(job.status());
    if (attempt_ > job->attempt()) {
      return console.Fail(kExitUsage, absl::StrCat("job ", id_, " has no attempt ", attempt_, "; it has had ",
                                                   job->attempt() == 0 ? "none" : absl::StrCat(job->attempt())));
    }
    console.Note("nothing was written");
    return kExitPassed;
  }

 private:
  std::string id_;
  int attempt_ = 0;
};

}  // namespace

std::unique_ptr<Command> NewLogsCommand() { return std::make_unique<LogsCommand>(); }

}  // namespace tersor::client
