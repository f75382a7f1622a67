#include "client/cli/commands/commands.h"
#include "client/cli/remote.h"
#include "client/cli/report_output.h"
#include "client/cpp/report_client.h"

namespace tersor::client {
namespace {

class ReportCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("report", "The report of a job that has succeeded");
    app.Positional("job", id_, "The job's id", "ID", true);
    app.Choice("--format", format_, "How to show it; default: table", ReportFormats());
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("Example:\n  tersor report JOB --format html > report.html");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    absl::StatusOr<v1::Report> report = GetReport(*connection, id_);
    if (!report.ok()) return console.Fail(report.status());
    std::string format = !format_.empty() ? format_ : console.json ? "json" : "table";
    console.Out() << FormatReport(*report, format, console.width) << std::flush;
    return kExitPassed;
  }

 private:
  std::string id_;
  std::string format_;
};

}  // namespace

std::unique_ptr<Command> NewReportCommand() { return std::make_unique<ReportCommand>(); }

}  // namespace tersor::client
