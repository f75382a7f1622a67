#include <utility>

#include "client/cli/commands/commands.h"

namespace tersor::client {
namespace {

class TokenCommand final : public Command {
 public:
  explicit TokenCommand(CommandList children) : children_(std::move(children)) {}

  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("token", "API tokens of a server that asks for them (tersord --tokens)");
    app.RequireSubcommand();
    app.Footer(
        "`tersor token COMMAND --help` explains a command. They need a token of an administrator; a new server's first "
        "one\nstands in DATA/admin-token on its machine.\n\nExample:\n"
        "  tersor token create ci --scope submit --lifetime 90d --token-file ~/.local/share/tersor/admin-token");
    for (const std::unique_ptr<Command>& child : children_) apps_.push_back(child->Define(app, common));
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    for (size_t i = 0; i < children_.size(); ++i) {
      if (apps_[i].parsed()) return children_[i]->Run(common, console);
    }
    return kExitUsage;
  }

 private:
  CommandList children_;
  std::vector<Arguments> apps_;
};

}  // namespace

std::unique_ptr<Command> NewTokenCommand(CommandList children) {
  return std::make_unique<TokenCommand>(std::move(children));
}

}  // namespace tersor::client
