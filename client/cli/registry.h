// The one list of commands.
#ifndef TERSOR_CLIENT_CLI_REGISTRY_H_
#define TERSOR_CLIENT_CLI_REGISTRY_H_

#include "client/cli/command.h"
#include "client/cli/local_commands.h"

namespace tersor::client {

// In the order of `tersor --help`.
CommandList MakeCommands(LocalCommands local);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_REGISTRY_H_
