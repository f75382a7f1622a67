#include "client/cli/command.h"

namespace tersor::client {

void AddQuietOption(const Arguments& arguments, CommonOptions& common) {
  arguments.Flag("-q,--quiet", common.quiet, "No progress and no notes, only the answer and errors");
}

void AddOutputOptions(const Arguments& arguments, CommonOptions& common) {
  arguments.Choice("--output", common.output,
                   "text for people, json for programs (alone on standard output, progress elsewhere)",
                   {"text", "json"});
  AddQuietOption(arguments, common);
}

void AddServerOption(const Arguments& arguments, CommonOptions& common) {
  arguments.Option("--server", common.server,
                   "tersord's address, https://HOST:PORT for TLS; default: $TERSOR_SERVER, else 127.0.0.1:7433",
                   "HOST:PORT");
  arguments.Option("--token-file", common.token_file, "File with the API token; default: $TERSOR_TOKEN", "FILE");
}

}  // namespace tersor::client
