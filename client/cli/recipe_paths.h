// The files and folders that a recipe names.
#ifndef TERSOR_CLIENT_CLI_RECIPE_PATHS_H_
#define TERSOR_CLIENT_CLI_RECIPE_PATHS_H_

#include <filesystem>

#include "absl/strings/string_view.h"
#include "client/recipe/recipe_loader.h"

namespace tersor::client {

// Whether `text` is meant as a path and not as a registered name.
bool LooksLikePath(absl::string_view text);

// `path` beside the recipe, where it is relative and such a file is there; else as it is, for the working folder.
std::filesystem::path BesideRecipe(const std::filesystem::path& path, const std::filesystem::path& recipe_folder);

// For work on this machine: relative paths of models and texts that are there beside the recipe become such that this
// process can open; what is neither there nor in the working folder becomes a fault that tells where it was looked for.
void ResolveRecipePaths(const std::filesystem::path& recipe_folder, LoadedRecipe& loaded);

// A server has another working folder: models and texts that this machine knows by a relative path become absolute.
void MakePathsAbsolute(v1::Recipe& recipe);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_RECIPE_PATHS_H_
