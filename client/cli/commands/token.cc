#include <utility>

#include "client/cli/commands/commands.h"

namespace tersor::client {

std::unique_ptr<Command> NewTokenCommand(CommandList children) {
  return NewCommandGroup(
      {.name = "token",
       .description = "API tokens of a server that asks for them (tersord --tokens)",
       .footer =
           "`tersor token COMMAND --help` explains a command. They need a token of an administrator; a new server's "
           "first one\nstands in DATA/admin-token on its machine.\n\nExample:\n"
           "  tersor token create ci --scope submit --lifetime 90d --token-file ~/.local/share/tersor/admin-token"},
      std::move(children));
}

}  // namespace tersor::client
