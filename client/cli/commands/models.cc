#include <utility>

#include "client/cli/commands/commands.h"

namespace tersor::client {

std::unique_ptr<Command> NewModelsCommand(CommandList children) {
  return NewCommandGroup(
      {.name = "models",
       .description = "Models that jobs can name, and what a model file holds",
       .footer = "`tersor models COMMAND --help` explains a command.\n\nExamples:\n"
                 "  tersor models inspect model.gguf                 is it supported, and what is inside\n"
                 "  tersor models push model.gguf --name smollm2     then a recipe says: model: smollm2"},
      std::move(children));
}

}  // namespace tersor::client
