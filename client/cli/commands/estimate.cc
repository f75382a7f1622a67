#include "client/cli/commands/commands.h"
#include "client/cli/plan_text.h"
#include "client/cli/recipe_input.h"
#include "client/cli/remote.h"

namespace tersor::client {
namespace {

class EstimateCommand final : public Command {
 public:
  explicit EstimateCommand(Engine* engine) : engine_(engine) {}

  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("estimate", "What the server would do with a recipe, and what it would cost");
    AddRecipeFlags(app, recipe_, false);
    app.Option("--threads", threads_, "Cores for the job; default: the server's", 1, 4096);
    AddServerOption(app, common);
    AddOutputOptions(app, common);
    app.Footer("Nothing is queued. `tersor run --dry-run` does the same without a server.");
    return app;
  }

  int Run(const CommonOptions& common, Console& console) override {
    absl::StatusOr<RecipeInput> input = ReadRecipeInput(recipe_, engine_);
    if (!input.ok()) return console.Fail(input.status());
    CompleteFaults(engine_, recipe_.DataPaths(), *input);
    if (!ReportFaults(*input, console)) return kExitUsage;
    absl::StatusOr<Connection> connection = Connect(common);
    if (!connection.ok()) return console.Fail(connection.status());
    v1::EstimateJobRequest request;
    *request.mutable_recipe() = input->loaded.recipe;
    MakePathsAbsolute(*request.mutable_recipe());
    request.mutable_resources()->set_threads(threads_);
    absl::StatusOr<v1::Plan> plan = JobClient(*connection).Estimate(request);
    if (!plan.ok()) return FailRecipe(plan.status(), *input, console);
    if (console.json) {
      console.Json(*plan);
    } else {
      console.Out() << PlanText(*plan, console.width) << std::flush;
    }
    return kExitPassed;
  }

 private:
  Engine* engine_;
  RecipeFlags recipe_;
  int threads_ = 0;
};

}  // namespace

std::unique_ptr<Command> NewEstimateCommand(Engine* engine) { return std::make_unique<EstimateCommand>(engine); }

}  // namespace tersor::client
