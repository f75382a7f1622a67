#include <system_error>

#include "client/cli/commands/commands.h"
#include "client/cli/model_answer.h"
#include "client/cli/remote.h"
#include "client/cpp/model_client.h"

namespace tersor::client {
namespace {

class ModelsImportCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("import", "Register a folder or .gguf file that lies on the server's machine");
    app.Positional("path", path_, "Path as the server sees it, inside its allowed roots", "PATH", true);
    app.Option("--name", name_, "Name for recipes; default: the path's last part", "NAME");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("Nothing is copied. A model on another machine is sent by `tersor models push`.");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    // The server does not share this process's working folder.
    std::error_code error;
    std::filesystem::path absolute = std::filesystem::absolute(path_, error).lexically_normal();
    bool here = !error && std::filesystem::exists(absolute, error);
    return PrintRegistered(ModelClient(*connection).Import(here ? absolute.string() : path_, name_), console);
  }

 private:
  std::string path_;
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> NewModelsImportCommand() { return std::make_unique<ModelsImportCommand>(); }

}  // namespace tersor::client
