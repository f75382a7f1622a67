// The program `tersor`: command line in, exit code out.
#ifndef TERSOR_CLIENT_CLI_APP_H_
#define TERSOR_CLIENT_CLI_APP_H_

#include "client/cli/command.h"

namespace tersor::client {

// Reads the arguments, runs the command they name. Wrong usage is exit code 2.
int RunApp(int argc, const char* const* argv, const CommandList& commands, Console& console);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_APP_H_
