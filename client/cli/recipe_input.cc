#include "client/cli/recipe_input.h"

#include <algorithm>
#include <iostream>
#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/cli/presets.h"
#include "core/base/atomic_file.h"

namespace tersor::client {
namespace {

// The loader's own limit is the one that is reported.
constexpr uint64_t kReadLimit = 2 << 20;

absl::StatusOr<std::string> ReadRecipeText(const std::string& file) {
  if (file != "-") return ReadFile(file, kReadLimit);
  std::string text;
  char buffer[65536];
  while (text.size() < kReadLimit && (std::cin.read(buffer, sizeof buffer) || std::cin.gcount() > 0)) {
    text.append(buffer, static_cast<size_t>(std::cin.gcount()));
  }
  return text;
}

absl::StatusOr<RecipeInput> PresetInput(const RecipeFlags& flags, Engine* engine) {
  std::string model = flags.model.empty() ? flags.recipe : flags.model;
  if (model.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--preset ", flags.preset, " needs a model: tersor COMMAND --preset ", flags.preset, " MODEL"));
  }
  std::error_code error;
  const bool here = engine != nullptr && std::filesystem::exists(model, error);
  const auto elsewhere = [&] {
    return MakePreset(flags.preset, model, std::nullopt,
                      engine == nullptr ? std::vector<std::string>() : engine->Datasets(flags.DataPaths()));
  };
  TERSOR_ASSIGN_OR_RETURN(PresetRecipe preset,
                          here ? PresetForModel(flags.preset, model, flags.DataPaths(), *engine) : elsewhere());
  // Through its text, so that faults of the preset have lines like those of any recipe.
  RecipeInput input{absl::StrCat("preset:", flags.preset),
                    LoadRecipe(WriteRecipeYaml(preset.recipe), RecipeSyntax::kYaml)};
  return input;
}

}  // namespace

std::vector<std::filesystem::path> RecipeFlags::DataPaths() const {
  std::vector<std::filesystem::path> paths;
  for (const std::string& list : data_paths) {
    for (absl::string_view path : absl::StrSplit(list, ':', absl::SkipEmpty())) paths.emplace_back(std::string(path));
  }
  return paths;
}

void AddRecipeFlags(const Arguments& app, RecipeFlags& flags, bool local) {
  app.Positional("recipe", flags.recipe,
                 "Recipe: YAML, JSON or .textproto; - is standard input. With --preset: the model", "RECIPE", false);
  app.Option("--preset", flags.preset, "No recipe but a ready one for the model: " + absl::StrJoin(PresetNames(), ", "),
             "NAME");
  app.Option("--model", flags.model, "Take this model instead of the recipe's", "MODEL");
  app.Choice(
      "--on-inconclusive", flags.on_inconclusive,
      "Where noise keeps a gate from being decided: fail (exit code 5, the default), pass (0) or extend (go on with "
      "further items of the tasks)",
      {"fail", "pass", "extend"});
  flags.local = local;
  if (!local) return;
  app.Option("--data-path", flags.data_paths,
             "Folders of data sets (text/NAME.txt, tasks/NAME.jsonl), colon-separated; default: $TERSOR_DATA_PATH",
             "DIR");
}

absl::StatusOr<RecipeInput> ReadRecipeInput(const RecipeFlags& flags, Engine* engine) {
  if (!flags.preset.empty()) return PresetInput(flags, engine);
  if (flags.recipe.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("which recipe? Name a file (`tersor init MODEL` writes one), - for standard input, or --preset ",
                     absl::StrJoin(PresetNames(), "|"), " and a model"));
  }
  absl::StatusOr<std::string> text = ReadRecipeText(flags.recipe);
  if (!text.ok()) return Annotate(text.status(), "recipe");
  RecipeInput input{flags.recipe == "-" ? "<stdin>" : flags.recipe, LoadRecipe(*text, SyntaxOfFile(flags.recipe)),
                    std::filesystem::path(flags.recipe).parent_path()};
  if (flags.local) ResolveRecipePaths(input.folder, input.loaded);
  if (!flags.model.empty()) {
    input.loaded.recipe.set_model(flags.model);
    std::erase_if(input.loaded.faults, [](const RecipeFault& fault) { return fault.field == "model"; });
  }
  if (!flags.on_inconclusive.empty()) {
    input.loaded.recipe.mutable_gating()->set_on_inconclusive(flags.on_inconclusive);
  }
  return input;
}

absl::StatusOr<PresetRecipe> PresetForModel(const std::string& preset, const std::string& model,
                                            const std::vector<std::filesystem::path>& data_paths, Engine& engine) {
  TERSOR_ASSIGN_OR_RETURN(const ModelShape shape, engine.Inspect(model));
  TERSOR_ASSIGN_OR_RETURN(PresetRecipe made, MakePreset(preset, model, shape, engine.Datasets(data_paths)));
  // Exports depend on the model and the stages alone; texts are left for the plan of the whole.
  v1::Recipe compression = made.recipe;
  compression.clear_calibration();
  compression.clear_evaluate();
  compression.clear_gates();
  TERSOR_ASSIGN_OR_RETURN(const LocalPlan plan, engine.Plan(compression, data_paths));
  KeepExportsThatFit(plan.violations, made.recipe);
  return made;
}

bool ReportFaults(const RecipeInput& input, Console& console) {
  for (const RecipeFault& fault : input.loaded.faults) console.Fault(FormatFault(input.file, fault));
  size_t count = input.loaded.faults.size();
  if (count > 0) console.Fail(kExitUsage, absl::StrCat(count, count == 1 ? " fault" : " faults", " in ", input.file));
  return count == 0;
}

void AddFaults(const std::vector<FieldViolation>& violations, RecipeInput& input) {
  for (const FieldViolation& violation : violations) {
    input.loaded.faults.push_back(input.loaded.positions.Locate(violation.field, violation.description));
  }
  SortFaults(input.loaded.faults);
}

std::vector<FieldViolation> NewFaults(const std::vector<FieldViolation>& violations, const RecipeInput& input) {
  const LoadedRecipe& loaded = input.loaded;
  std::vector<FieldViolation> fresh;
  for (const FieldViolation& violation : violations) {
    if (!loaded.faults.empty() && !loaded.positions.Contains(violation.field)) continue;
    const RecipeFault located = loaded.positions.Locate(violation.field, violation.description);
    const bool known = std::any_of(loaded.faults.begin(), loaded.faults.end(),
                                   [&](const RecipeFault& fault) { return fault.field == located.field; });
    if (!known) fresh.push_back(violation);
  }
  return fresh;
}

void CompleteFaults(Engine* engine, const std::vector<std::filesystem::path>& data_paths, RecipeInput& input) {
  std::error_code error;
  const v1::Recipe& recipe = input.loaded.recipe;
  if (input.loaded.faults.empty() || engine == nullptr || !std::filesystem::exists(recipe.model(), error)) return;
  const absl::StatusOr<LocalPlan> plan = engine->Plan(recipe, data_paths);
  if (plan.ok()) AddFaults(NewFaults(plan->violations, input), input);
}

}  // namespace tersor::client
