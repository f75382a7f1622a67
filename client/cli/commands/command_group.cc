#include <utility>

#include "client/cli/commands/commands.h"

namespace tersor::client {
namespace {

class CommandGroup final : public Command {
 public:
  CommandGroup(GroupWords words, CommandList children) : words_(std::move(words)), children_(std::move(children)) {}

  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand(words_.name, words_.description);
    app.RequireSubcommand();
    app.Footer(words_.footer);
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
  const GroupWords words_;
  CommandList children_;
  std::vector<Arguments> apps_;
};

}  // namespace

std::unique_ptr<Command> NewCommandGroup(GroupWords words, CommandList children) {
  return std::make_unique<CommandGroup>(std::move(words), std::move(children));
}

}  // namespace tersor::client
