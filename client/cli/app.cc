#include "client/cli/app.h"

#include "CLI/CLI.hpp"

namespace tersor::client {
namespace {

constexpr char kDescription[] =
    "tersor compresses language models on CPUs and proves what it cost.\n"
    "A recipe says which model, how to compress it, how to judge it and which files to write.";

constexpr char kFooter[] = R"(First steps:
  tersor run --preset balanced MODEL     compress MODEL here, no server and no recipe needed
  tersor init MODEL                      write recipe.yaml, with comments, made for MODEL
  tersor validate recipe.yaml            every fault with its line
  tersor run recipe.yaml                 do it here; Ctrl-C and start again: it goes on where it was
  tersor submit recipe.yaml --wait       let a server do it

Exit codes: 0 passed, 1 a gate failed, 2 usage or invalid recipe, 3 job failed, 4 server unreachable,
5 inconclusive, 6 cancelled, 7 waited too long, 130 and 143 interrupted.
`tersor COMMAND --help` explains a command; docs/cli.md and docs/recipes.md tell the rest.)";

// CLI11's exceptions end here.
int ParseAndRun(int argc, const char* const* argv, CLI::App& app, const CommandList& commands,
                const std::vector<Arguments>& subcommands, const CommonOptions& common, Console& console) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    int code = app.exit(error, console.Out(), console.Err());
    console.Out() << std::flush;
    return code == 0 ? kExitPassed : kExitUsage;
  }
  console.json = common.output == "json";
  console.quiet = common.quiet;
  for (size_t i = 0; i < commands.size(); ++i) {
    if (subcommands[i].parsed()) return commands[i]->Run(common, console);
  }
  return kExitUsage;
}

}  // namespace

int RunApp(int argc, const char* const* argv, const CommandList& commands, Console& console) {
  CommonOptions common;
  CLI::App app(kDescription, "tersor");
  app.set_version_flag("--version", "tersor " TERSOR_VERSION);
  app.require_subcommand(1);
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  app.failure_message([](const CLI::App* failed, const CLI::Error& error) {
    return std::string("tersor: ") + error.what() + "\n`tersor " +
           (failed->get_subcommands().empty() ? "" : failed->get_subcommands().front()->get_name() + " ") +
           "--help` tells more\n";
  });
  std::vector<Arguments> subcommands;
  for (const auto& command : commands) subcommands.push_back(command->Define(Arguments(&app), common));
  return ParseAndRun(argc, argv, app, commands, subcommands, common, console);
}

}  // namespace tersor::client
