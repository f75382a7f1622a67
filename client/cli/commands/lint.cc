#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/remote.h"
#include "client/cpp/artifact_client.h"
#include "core/report/escape.h"
#include "nlohmann/json.hpp"

namespace tersor::client {
namespace {

const char* SeverityName(v1::LintSeverity severity) {
  return severity == v1::LINT_SEVERITY_ERROR ? "error" : "warning";
}

class LintCommand final : public Command {
 public:
  explicit LintCommand(LocalLint local) : local_(std::move(local)) {}

  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("lint", "Reads a model file a second time and says what is wrong with it");
    app.Positional(
        "artifact", artifact_,
        "A quantized folder, a .gguf file or a Tersor container, whoever made it; with --job the name of one "
        "of its artifacts, with --remote a model that the server knows",
        "ARTIFACT", true);
    app.Option("--reference", reference_,
               "The dense model it was made from: tells misread codes from right ones in every format", "MODEL");
    app.Option("--job", job_, "Look at this job's artifact, on the server", "ID");
    app.Flag("--remote", remote_, "Look at a model of the server");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer(
        "Exit code 0: no error (there may be warnings); 1: an error was found; 2: there is no such file.\n\n"
        "Examples:\n  tersor lint TheBloke/model-GPTQ --reference model\n  tersor lint gptq --job JOB --output json");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<v1::LintReport> report = Lint(common);
    if (!report.ok()) return console.Fail(report.status());
    console.json ? PrintJson(*report, console) : PrintText(*report, console);
    for (const v1::LintFinding& finding : report->findings()) {
      if (finding.severity() == v1::LINT_SEVERITY_ERROR) return kExitGateFailed;
    }
    return kExitPassed;
  }

 private:
  absl::StatusOr<v1::LintReport> Lint(const CommonOptions& common) const {
    if (job_.empty() && !remote_) {
      if (local_ != nullptr) return local_(artifact_, reference_);
      return absl::InvalidArgumentError(
          "this build of tersor has no engine: give --job ID or --remote to have a server look");
    }
    TERSOR_ASSIGN_OR_RETURN(Connection connection, Connect(common));
    const ArtifactClient client(std::move(connection));
    return job_.empty() ? client.LintModel(artifact_, reference_) : client.Lint(job_, artifact_, reference_);
  }

  static void PrintText(const v1::LintReport& report, Console& console) {
    int errors = 0;
    for (const v1::LintFinding& finding : report.findings()) {
      errors += finding.severity() == v1::LINT_SEVERITY_ERROR;
      const std::string where = finding.where().empty() ? "" : absl::StrCat(EscapeTerminal(finding.where()), ": ");
      console.Out() << SeverityName(finding.severity()) << " " << finding.code() << ": " << where
                    << EscapeTerminal(finding.message()) << "\n  " << EscapeTerminal(finding.remedy()) << "\n";
    }
    console.Out() << EscapeTerminal(report.path()) << ": " << (report.format().empty() ? "?" : report.format()) << ", "
                  << errors << (errors == 1 ? " error, " : " errors, ") << report.findings_size() - errors
                  << (report.findings_size() - errors == 1 ? " warning; " : " warnings; ") << report.compared_tensors()
                  << " tensors decoded twice and compared" << std::endl;
  }

  static void PrintJson(const v1::LintReport& report, Console& console) {
    nlohmann::ordered_json json = {{"path", report.path()},
                                   {"format", report.format()},
                                   {"reference", report.reference()},
                                   {"compared_tensors", report.compared_tensors()},
                                   {"findings", nlohmann::ordered_json::array()}};
    for (const v1::LintFinding& finding : report.findings()) {
      json["findings"].push_back({{"code", finding.code()},
                                  {"severity", SeverityName(finding.severity())},
                                  {"where", finding.where()},
                                  {"message", finding.message()},
                                  {"remedy", finding.remedy()}});
    }
    console.Out() << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  }

  LocalLint local_;
  std::string artifact_;
  std::string reference_;
  std::string job_;
  bool remote_ = false;
};

}  // namespace

std::unique_ptr<Command> NewLintCommand(LocalLint local) { return std::make_unique<LintCommand>(std::move(local)); }

}  // namespace tersor::client
