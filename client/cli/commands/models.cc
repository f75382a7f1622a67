#include <utility>

#include "client/cli/commands/commands.h"

namespace tersor::client {
namespace {

class ModelsCommand final : public Command {
 public:
  explicit ModelsCommand(CommandList children) : children_(std::move(children)) {}

  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("models", "Models that jobs can name, and what a model file holds");
    app.RequireSubcommand();
    app.Footer(
        "`tersor models COMMAND --help` explains a command.\n\nExamples:\n"
        "  tersor models inspect model.gguf                 is it supported, and what is inside\n"
        "  tersor models push model.gguf --name smollm2     then a recipe says: model: smollm2");
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

std::unique_ptr<Command> NewModelsCommand(CommandList children) {
  return std::make_unique<ModelsCommand>(std::move(children));
}

}  // namespace tersor::client
