// What a full build does on this machine.
#include "client/cli/local_commands.h"
#include "client/cli/local_engine.h"
#include "core/lint/lint.h"

namespace tersor::client {
namespace {

absl::StatusOr<v1::LintReport> LintHere(const std::string& path, const std::string& reference) {
  return LintArtifact(path, {.reference = reference});
}

}  // namespace

LocalCommands MakeLocalCommands() {
  static auto& engine = *new LocalEngine;
  return {.engine = &engine,
          .lint = LintHere,
          .look_at_machine = LookAtMachine,
          .run = NewRunCommand(&engine),
          .init = NewInitCommand(&engine),
          .inspect = NewModelsInspectCommand(),
          .tasks = NewTasksCommand(),
          .tokenize = NewTokenizeCommand(),
          .generate = NewGenerateCommand()};
}

}  // namespace tersor::client
