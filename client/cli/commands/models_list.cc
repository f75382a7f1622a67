#include "client/cli/commands/commands.h"
#include "client/cli/remote.h"
#include "client/cpp/model_client.h"
#include "core/report/number_text.h"
#include "core/report/text_table.h"

namespace tersor::client {
namespace {

class ModelsListCommand final : public Command {
 public:
  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("list", "Models that recipes can name");
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("A name in the first column is what a recipe's `model:` takes.");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    absl::StatusOr<std::vector<v1::Model>> models = ModelClient(*connection).List();
    if (!models.ok()) return console.Fail(models.status());
    if (console.json) {
      v1::ListModelsResponse response;
      for (v1::Model& model : *models) *response.add_models() = std::move(model);
      console.Json(response);
      return kExitPassed;
    }
    ReportSection section{.columns = {{"name"}, {"architecture"}, {"parameters", true}, {"size", true}, {"path"}}};
    for (const v1::Model& model : *models) {
      const v1::ModelInfo& info = model.info();
      section.rows.push_back({model.name(), info.architecture(), CountText(info.parameters()),
                              BytesText(info.source_bytes()), info.path()});
    }
    if (section.rows.empty()) {
      console.Note("no models; register one by `tersor models import` or `tersor models push`");
    } else {
      console.Out() << TextTable(section, console.width) << std::flush;
    }
    return kExitPassed;
  }
};

}  // namespace

std::unique_ptr<Command> NewModelsListCommand() { return std::make_unique<ModelsListCommand>(); }

}  // namespace tersor::client
