// Recipes for a first try.
#ifndef TERSOR_CLIENT_CLI_PRESETS_H_
#define TERSOR_CLIENT_CLI_PRESETS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client/cli/engine.h"
#include "client/recipe/recipe_writer.h"
#include "core/base/status.h"

namespace tersor::client {

struct PresetRecipe {
  v1::Recipe recipe;
  // For `tersor init`.
  RecipeComments comments;
};

// "small", "balanced", "safe".
std::vector<std::string> PresetNames();

// The preset for the model that a recipe would call `model`. Without `shape` (the model lies on the server) the group
// size is one that divides the widths of nearly every model. `datasets`: what there is; empty where that is unknown.
// INVALID_ARGUMENT for an unknown preset.
absl::StatusOr<PresetRecipe> MakePreset(absl::string_view preset, absl::string_view model,
                                        const std::optional<ModelShape>& shape,
                                        const std::vector<std::string>& datasets);

// Leaves out the exports that the plan of the recipe found at fault; safetensors where none is left.
void KeepExportsThatFit(const std::vector<FieldViolation>& faults, v1::Recipe& recipe);

// The first of `sizes` that divides every width; -1 (one scale a row) where none does.
int LargestGroupSize(const std::vector<int64_t>& widths, const std::vector<int>& sizes);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_PRESETS_H_
