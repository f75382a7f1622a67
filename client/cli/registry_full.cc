// The commands of a full build.
#include <utility>

#include "client/cli/commands/commands.h"
#include "client/cli/local_engine.h"
#include "client/cli/registry.h"
#include "core/lint/lint.h"

namespace tersor::client {
namespace {

absl::StatusOr<v1::LintReport> LintHere(const std::string& path, const std::string& reference) {
  return LintArtifact(path, {.reference = reference});
}

CommandList ModelsCommands() {
  CommandList models;
  models.push_back(NewModelsImportCommand());
  models.push_back(NewModelsPushCommand());
  models.push_back(NewModelsListCommand());
  models.push_back(NewModelsInspectCommand());
  return models;
}

}  // namespace

CommandList MakeCommands() {
  static auto& engine = *new LocalEngine;
  CommandList commands;
  commands.push_back(NewRunCommand(&engine));
  commands.push_back(NewInitCommand(&engine));
  commands.push_back(NewValidateCommand(&engine));
  commands.push_back(NewSubmitCommand(&engine));
  commands.push_back(NewEstimateCommand(&engine));
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
  commands.push_back(NewMethodsCommand(&engine));
  commands.push_back(NewLintCommand(LintHere));
  commands.push_back(NewTasksCommand());
  commands.push_back(NewTokenizeCommand());
  commands.push_back(NewGenerateCommand());
  commands.push_back(NewDoctorCommand(LookAtMachine));
  return commands;
}

}  // namespace tersor::client
