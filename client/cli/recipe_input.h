// The recipe that a command line names: a file, standard input, or a preset for a model.
#ifndef TERSOR_CLIENT_CLI_RECIPE_INPUT_H_
#define TERSOR_CLIENT_CLI_RECIPE_INPUT_H_

#include <filesystem>
#include <string>
#include <vector>

#include "client/cli/arguments.h"
#include "client/cli/console.h"
#include "client/cli/engine.h"
#include "client/cli/recipe_paths.h"
#include "client/recipe/recipe_loader.h"
#include "core/base/status.h"

namespace tersor::client {

struct RecipeFlags {
  // A file, "-" for standard input, or with --preset the model.
  std::string recipe;
  std::string preset;
  // --model: goes before the recipe's.
  std::string model;
  std::vector<std::string> data_paths;
  // --on-inconclusive: goes before the recipe's.
  std::string on_inconclusive;
  // The recipe's paths are this machine's, not a server's.
  bool local = false;

  std::vector<std::filesystem::path> DataPaths() const;
};

// RECIPE, --preset, --model; for a command that works on this machine (`local`) --data-path too.
void AddRecipeFlags(const Arguments& app, RecipeFlags& flags, bool local);

struct RecipeInput {
  // As messages name it.
  std::string file;
  LoadedRecipe loaded;
  // That the file lies in; empty for the working folder.
  std::filesystem::path folder = {};
};

// Reads the recipe; its faults are in `loaded`. `engine` may be null: presets then do not know the model's shape.
absl::StatusOr<RecipeInput> ReadRecipeInput(const RecipeFlags& flags, Engine* engine);

struct PresetRecipe;

// The preset for a model on this machine, with the exports that can hold it.
absl::StatusOr<PresetRecipe> PresetForModel(const std::string& preset, const std::string& model,
                                            const std::vector<std::filesystem::path>& data_paths, Engine& engine);

// Prints every fault with its place; answers whether there were none.
bool ReportFaults(const RecipeInput& input, Console& console);

// Faults found by others, at the fields of `input`.
void AddFaults(const std::vector<FieldViolation>& violations, RecipeInput& input);

// Of `violations`, those that tell something new. In a recipe with faults, only what its writer wrote counts: fields
// that could not be read have defaults that nobody asked for.
std::vector<FieldViolation> NewFaults(const std::vector<FieldViolation>& violations, const RecipeInput& input);

// Adds to a recipe's faults what planning it finds, so that one answer tells all of them. Does nothing for a recipe
// without faults, without an engine, and for a model that is not on this machine.
void CompleteFaults(Engine* engine, const std::vector<std::filesystem::path>& data_paths, RecipeInput& input);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_RECIPE_INPUT_H_
