#include "client/cli/registry.h"

#include <utility>

#include "client/cli/commands/commands.h"

namespace tersor::client {
namespace {

CommandList ModelsCommands(std::unique_ptr<Command> inspect) {
  CommandList models;
  models.push_back(NewModelsImportCommand());
  models.push_back(NewModelsPushCommand());
  models.push_back(NewModelsListCommand());
  models.push_back(std::move(inspect));
  return models;
}

CommandList TokenCommands() {
  CommandList tokens;
  tokens.push_back(NewTokenCreateCommand());
  tokens.push_back(NewTokenListCommand());
  tokens.push_back(NewTokenRevokeCommand());
  return tokens;
}

}  // namespace

CommandList MakeCommands(LocalCommands local) {
  CommandList commands;
  commands.push_back(std::move(local.run));
  commands.push_back(std::move(local.init));
  commands.push_back(NewValidateCommand(local.engine));
  commands.push_back(NewSubmitCommand(local.engine));
  commands.push_back(NewEstimateCommand(local.engine));
  commands.push_back(NewListCommand());
  commands.push_back(NewStatusCommand());
  commands.push_back(NewWatchCommand());
  commands.push_back(NewLogsCommand());
  commands.push_back(NewCancelCommand());
  commands.push_back(NewGcCommand());
  commands.push_back(NewReportCommand());
  commands.push_back(NewCompareCommand());
  commands.push_back(NewDownloadCommand());
  commands.push_back(NewModelsCommand(ModelsCommands(std::move(local.inspect))));
  commands.push_back(NewTokenCommand(TokenCommands()));
  commands.push_back(NewMethodsCommand(local.engine));
  commands.push_back(NewLintCommand(std::move(local.lint)));
  commands.push_back(std::move(local.tasks));
  commands.push_back(std::move(local.tokenize));
  commands.push_back(std::move(local.generate));
  commands.push_back(NewDoctorCommand(std::move(local.look_at_machine)));
  return commands;
}

}  // namespace tersor::client
