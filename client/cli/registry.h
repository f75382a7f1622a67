// The one list of commands; a build links one of its two versions.
#ifndef TERSOR_CLIENT_CLI_REGISTRY_H_
#define TERSOR_CLIENT_CLI_REGISTRY_H_

#include "client/cli/command.h"

namespace tersor::client {

// In the order of `tersor --help`.
CommandList MakeCommands();

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_REGISTRY_H_
