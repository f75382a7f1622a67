#include "client/cli/app.h"

#include <algorithm>
#include <string>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/nearest_name.h"

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
`tersor help COMMAND` explains a command; docs/cli.md and docs/recipes.md tell the rest.)";

// What follows the program's name. `help COMMAND` is `COMMAND --help`.
std::vector<std::string> ReadWords(int argc, const char* const* argv) {
  std::vector<std::string> words(argv + 1, argv + std::max(argc, 1));
  if (words.empty() || words[0] != "help") return words;
  words.erase(words.begin());
  words.push_back("--help");
  return words;
}

// What is wrong with the command that `words` begin with; empty where nothing is.
std::string UnknownCommand(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* parent = &app;
  for (const std::string& word : words) {
    const CLI::App* found = nullptr;
    std::vector<std::string> known;
    for (const CLI::App* command : parent->get_subcommands([](const CLI::App*) { return true; })) {
      known.push_back(command->get_name());
      if (command->get_name() == word) found = command;
    }
    if (known.empty() || absl::StartsWith(word, "-")) return "";
    if (found == nullptr) {
      const std::string nearest = NearestName(word, known);
      const std::string whole = parent == &app ? "tersor" : absl::StrCat("tersor ", parent->get_name());
      return absl::StrCat("unknown command \"", word, "\"; ",
                          nearest.empty() ? absl::StrCat("`", whole, " --help` lists those there are")
                                          : absl::StrCat("did you mean \"", nearest, "\"?"));
    }
    parent = found;
  }
  return "";
}

// CLI11's exceptions end here.
int ParseAndRun(const std::vector<std::string>& words, CLI::App& app, const CommandList& commands,
                const std::vector<Arguments>& subcommands, const CommonOptions& common, Console& console) {
  try {
    // From the last one on.
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
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
  const std::vector<std::string> words = ReadWords(argc, argv);
  if (std::string unknown = UnknownCommand(app, words); !unknown.empty()) return console.Fail(kExitUsage, unknown);
  return ParseAndRun(words, app, commands, subcommands, common, console);
}

}  // namespace tersor::client
