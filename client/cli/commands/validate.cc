#include <system_error>

#include "absl/strings/str_cat.h"
#include "client/cli/commands/commands.h"
#include "client/cli/recipe_input.h"
#include "nlohmann/json.hpp"

namespace tersor::client {
namespace {

class ValidateCommand final : public Command {
 public:
  explicit ValidateCommand(Engine* engine) : engine_(engine) {}

  Arguments Define(const Arguments& parent, CommonOptions& common) override {
    Arguments app = parent.Subcommand("validate", "Check a recipe without a server: every fault with its line");
    AddRecipeFlags(app, recipe_, true);
    AddOutputOptions(app, common);
    app.Footer(
        "Where the model lies on this machine its shapes, the data sets and the exports are checked too.\n"
        "Exit code 0: no faults; 2: faults, one a line as FILE:LINE:COLUMN: FIELD: what is wrong.");
    return app;
  }

  int Run(const CommonOptions&, Console& console) override {
    absl::StatusOr<RecipeInput> input = ReadRecipeInput(recipe_, engine_);
    if (!input.ok()) return console.Fail(input.status());
    if (absl::Status status = PlanLocally(*input, console); !status.ok()) return console.Fail(status);
    bool good = input->loaded.faults.empty();
    if (console.json) PrintJson(*input, console);
    if (!console.json && !good) ReportFaults(*input, console);
    if (!console.json && good) console.Out() << input->file << ": no faults" << std::endl;
    return good ? kExitPassed : kExitUsage;
  }

 private:
  // Adds what only the engine can see.
  absl::Status PlanLocally(RecipeInput& input, Console& console) const {
    if (engine_ == nullptr) {
      console.Note("this build has no engine: only the recipe's form was checked; `tersor estimate` asks the server");
      return absl::OkStatus();
    }
    const v1::Recipe& recipe = input.loaded.recipe;
    if (recipe.model().empty()) return absl::OkStatus();
    TERSOR_ASSIGN_OR_RETURN(LocalPlan plan, engine_->Plan(recipe, recipe_.DataPaths()));
    AddFaults(Relevant(plan.violations, input, console), input);
    for (const v1::Warning& warning : plan.plan.warnings()) {
      if (plan.violations.empty()) console.Note(absl::StrCat("warning ", warning.code(), ": ", warning.message()));
    }
    return absl::OkStatus();
  }

  // A model that is a name may be registered with a server.
  static std::vector<FieldViolation> Relevant(std::vector<FieldViolation> violations, const RecipeInput& input,
                                              Console& console) {
    std::error_code error;
    const std::string& model = input.loaded.recipe.model();
    if (!LooksLikePath(model) && !std::filesystem::exists(model, error)) {
      console.Note(
          absl::StrCat("model \"", model,
                       "\" is not on this machine: its shapes were not checked; `tersor estimate` asks the server"));
      std::erase_if(violations, [](const FieldViolation& violation) { return violation.field == "model"; });
    }
    return NewFaults(violations, input);
  }

  static void PrintJson(const RecipeInput& input, Console& console) {
    nlohmann::ordered_json faults = nlohmann::ordered_json::array();
    for (const RecipeFault& fault : input.loaded.faults) {
      faults.push_back({{"file", input.file},
                        {"line", fault.position.line},
                        {"column", fault.position.column},
                        {"field", fault.field},
                        {"description", fault.description}});
    }
    nlohmann::ordered_json answer = {{"valid", faults.empty()}, {"faults", faults}};
    console.Out() << answer.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  }

  Engine* engine_;
  RecipeFlags recipe_;
};

}  // namespace

std::unique_ptr<Command> NewValidateCommand(Engine* engine) { return std::make_unique<ValidateCommand>(engine); }

}  // namespace tersor::client
