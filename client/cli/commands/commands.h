// Every command of `tersor`; registry.cc lists them.
#ifndef TERSOR_CLIENT_CLI_COMMANDS_COMMANDS_H_
#define TERSOR_CLIENT_CLI_COMMANDS_COMMANDS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/cli/command.h"
#include "client/cli/engine.h"
#include "tersor/v1/lint.pb.h"

namespace tersor::client {

// Remote: they need a server. `engine` may be null.
std::unique_ptr<Command> NewSubmitCommand(Engine* engine);
std::unique_ptr<Command> NewEstimateCommand(Engine* engine);
std::unique_ptr<Command> NewListCommand();
std::unique_ptr<Command> NewStatusCommand();
std::unique_ptr<Command> NewWatchCommand();
std::unique_ptr<Command> NewLogsCommand();
std::unique_ptr<Command> NewCancelCommand();
std::unique_ptr<Command> NewGcCommand();
std::unique_ptr<Command> NewReportCommand();
// Works on report files too, without a server.
std::unique_ptr<Command> NewCompareCommand();
std::unique_ptr<Command> NewDownloadCommand();
std::unique_ptr<Command> NewModelsImportCommand();
std::unique_ptr<Command> NewModelsPushCommand();
std::unique_ptr<Command> NewModelsListCommand();
std::unique_ptr<Command> NewTokenCreateCommand();
std::unique_ptr<Command> NewTokenListCommand();
std::unique_ptr<Command> NewTokenRevokeCommand();
// How a group of commands is called and what its --help says.
struct GroupWords {
  std::string name;
  std::string description;
  std::string footer;
};

// Runs the one of its children that the command line names.
std::unique_ptr<Command> NewCommandGroup(GroupWords words, CommandList children);
// Groups its children under `tersor token`.
std::unique_ptr<Command> NewTokenCommand(CommandList children);
// Groups its children under `tersor models`.
std::unique_ptr<Command> NewModelsCommand(CommandList children);

// Either: without an engine they do what they can.
std::unique_ptr<Command> NewValidateCommand(Engine* engine);
std::unique_ptr<Command> NewMethodsCommand(Engine* engine);
// One line of `tersor doctor`.
struct Finding {
  enum class Level { kOk, kWarning, kProblem };
  Level level = Level::kOk;
  std::string subject;
  std::string text;
};
// `look`: findings about this machine and the engine.
std::unique_ptr<Command> NewDoctorCommand(std::function<std::vector<Finding>()> look);

// `local`: lints a path on this machine; null without an engine, when only a server can.
using LocalLint = std::function<absl::StatusOr<v1::LintReport>(const std::string& path, const std::string& reference)>;
std::unique_ptr<Command> NewLintCommand(LocalLint local);

// Local: they need the engine.
std::unique_ptr<Command> NewRunCommand(Engine* engine);
std::unique_ptr<Command> NewInitCommand(Engine* engine);
std::unique_ptr<Command> NewModelsInspectCommand();
std::unique_ptr<Command> NewTasksCommand();
std::unique_ptr<Command> NewTokenizeCommand();
std::unique_ptr<Command> NewGenerateCommand();

// Stands where a local command would in a build without an engine, and says so.
std::unique_ptr<Command> NewMissingCommand(std::string name, std::string description);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_COMMANDS_COMMANDS_H_
