// The commands of a build without an engine.
#include <utility>

#include "client/cli/commands/commands.h"
#include "client/cli/registry.h"

namespace tersor::client {
namespace {

std::vector<Finding> NoEngine() {
  return {{Finding::Level::kWarning, "engine", "none in this build: local commands are missing, remote ones work"}};
}

CommandList ModelsCommands() {
  CommandList models;
  models.push_back(NewModelsImportCommand());
  models.push_back(NewModelsPushCommand());
  models.push_back(NewModelsListCommand());
  models.push_back(NewMissingCommand("inspect", "What a model file holds"));
  return models;
}

}  // namespace

CommandList MakeCommands() {
  CommandList commands;
  commands.push_back(NewMissingCommand("run", "Do a recipe here, without a server"));
  commands.push_back(NewMissingCommand("init", "Write a recipe that fits a model"));
  commands.push_back(NewValidateCommand(nullptr));
  commands.push_back(NewSubmitCommand(nullptr));
  commands.push_back(NewEstimateCommand(nullptr));
  commands.push_back(NewListCommand());
  commands.push_back(NewStatusCommand());
  commands.push_back(NewWatchCommand());
  commands.push_back(NewLogsCommand());
  commands.push_back(NewCancelCommand());
  commands.push_back(NewGcCommand());
  commands.push_back(NewReportCommand());
  commands.push_back(NewCompareCommand());
  commands.push_back(NewDownloadCommand());
  commands.push_back(NewModelsCommand(ModelsCommands()));
  commands.push_back(NewMethodsCommand(nullptr));
  commands.push_back(NewLintCommand(nullptr));
  commands.push_back(NewMissingCommand("tasks", "Tasks and suites that recipes can name"));
  commands.push_back(NewMissingCommand("tokenize", "Text to token ids"));
  commands.push_back(NewMissingCommand("generate", "Continue a text"));
  commands.push_back(NewDoctorCommand(NoEngine));
  return commands;
}

}  // namespace tersor::client
