// The commands that differ between a build with the engine and one without; a build links one of the two versions.
#ifndef TERSOR_CLIENT_CLI_LOCAL_COMMANDS_H_
#define TERSOR_CLIENT_CLI_LOCAL_COMMANDS_H_

#include <functional>
#include <memory>
#include <vector>

#include "client/cli/commands/commands.h"

namespace tersor::client {

struct LocalCommands {
  // Lives as long as the program; null in a build without one.
  Engine* engine = nullptr;
  // Null in a build without an engine.
  LocalLint lint;
  std::function<std::vector<Finding>()> look_at_machine;
  std::unique_ptr<Command> run, init, inspect, tasks, tokenize, generate;
};

LocalCommands MakeLocalCommands();

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_LOCAL_COMMANDS_H_
