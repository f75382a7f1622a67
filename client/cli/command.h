// One subcommand of `tersor`.
#ifndef TERSOR_CLIENT_CLI_COMMAND_H_
#define TERSOR_CLIENT_CLI_COMMAND_H_

#include <memory>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/console.h"

namespace tersor::client {

// Flags that mean the same on every command that has them.
struct CommonOptions {
  // --server; empty: TERSOR_SERVER or the default.
  std::string server;
  // --token-file; empty: TERSOR_TOKEN.
  std::string token_file;
  // --output: "text" or "json".
  std::string output = "text";
  bool quiet = false;
};

class Command {
 public:
  virtual ~Command() = default;
  // Adds itself to `parent`: name, help, options. `common` outlives it.
  virtual Arguments Define(const Arguments& parent, CommonOptions& common) = 0;
  // Answers the exit code. Called once, after the command line was read.
  virtual int Run(const CommonOptions& common, Console& console) = 0;
};

using CommandList = std::vector<std::unique_ptr<Command>>;

// --quiet.
void AddQuietOption(const Arguments& arguments, CommonOptions& common);
// --output and --quiet.
void AddOutputOptions(const Arguments& arguments, CommonOptions& common);
// --server and --token-file.
void AddServerOption(const Arguments& arguments, CommonOptions& common);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_COMMAND_H_
