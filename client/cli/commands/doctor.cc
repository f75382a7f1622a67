#include <utility>

#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/remote.h"
#include "nlohmann/json.hpp"

namespace tersor::client {
namespace {

const char* LevelWord(Finding::Level level) {
  switch (level) {
    case Finding::Level::kOk:
      return "ok";
    case Finding::Level::kWarning:
      return "note";
    case Finding::Level::kProblem:
      return "problem";
  }
  return "";
}

class DoctorCommand final : public Command {
 public:
  explicit DoctorCommand(std::function<std::vector<Finding>()> look) : look_(std::move(look)) {}

  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("doctor", "What this machine has: CPU, oneDNN, memory, data sets, server");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("Exit code 0: everything needed for local work is there; 3: something is not. No server is no problem.");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    std::vector<Finding> findings = look_();
    findings.push_back(LookForServer(common));
    int code = kExitPassed;
    for (const Finding& finding : findings) {
      if (finding.level == Finding::Level::kProblem) code = kExitJobFailed;
    }
    console.json ? PrintJson(findings, console) : PrintText(findings, console);
    return code;
  }

 private:
  static Finding LookForServer(const CommonOptions& common) {
    absl::StatusOr<Connection> connection =
        Connection::Open(ServerAddress(common.server), {absl::Seconds(3), absl::Seconds(3)});
    if (!connection.ok()) return {Finding::Level::kWarning, "server", std::string(connection.status().message())};
    absl::StatusOr<v1::ListMethodsResponse> methods = JobClient(*connection).ListMethods();
    if (methods.ok()) {
      return {Finding::Level::kOk, "server",
              absl::StrCat(connection->address(), " answers, with ", methods->methods_size(), " methods")};
    }
    return {Finding::Level::kWarning, "server",
            absl::StrCat("none at ", connection->address(), " (`tersor run` needs none)")};
  }

  static void PrintText(const std::vector<Finding>& findings, Console& console) {
    for (const Finding& finding : findings) {
      std::string level = LevelWord(finding.level);
      console.Out() << level << std::string(9 - level.size(), ' ') << finding.subject
                    << std::string(std::max<int>(1, 12 - static_cast<int>(finding.subject.size())), ' ') << finding.text
                    << "\n";
    }
    console.Out() << std::flush;
  }

  static void PrintJson(const std::vector<Finding>& findings, Console& console) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Finding& finding : findings) {
      list.push_back({{"level", LevelWord(finding.level)}, {"subject", finding.subject}, {"text", finding.text}});
    }
    nlohmann::ordered_json answer = {{"version", TERSOR_VERSION}, {"findings", list}};
    console.Out() << answer.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  }

  std::function<std::vector<Finding>()> look_;
};

}  // namespace

std::unique_ptr<Command> NewDoctorCommand(std::function<std::vector<Finding>()> look) {
  return std::make_unique<DoctorCommand>(std::move(look));
}

}  // namespace tersor::client
