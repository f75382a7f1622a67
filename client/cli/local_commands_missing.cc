// What a build without an engine says of commands that need one.
#include "client/cli/local_commands.h"

namespace tersor::client {
namespace {

std::vector<Finding> NoEngine() {
  return {{Finding::Level::kWarning, "engine", "none in this build: local commands are missing, remote ones work"}};
}

}  // namespace

LocalCommands MakeLocalCommands() {
  return {.engine = nullptr,
          .lint = nullptr,
          .look_at_machine = NoEngine,
          .run = NewMissingCommand("run", "Do a recipe here, without a server"),
          .init = NewMissingCommand("init", "Write a recipe that fits a model"),
          .inspect = NewMissingCommand("inspect", "What a model file holds"),
          .tasks = NewMissingCommand("tasks", "Tasks and suites that recipes can name"),
          .tokenize = NewMissingCommand("tokenize", "Text to token ids"),
          .generate = NewMissingCommand("generate", "Continue a text")};
}

}  // namespace tersor::client
