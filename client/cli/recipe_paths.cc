#include "client/cli/recipe_paths.h"

#include <string>
#include <system_error>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace tersor::client {
namespace {

namespace fs = std::filesystem;

using PathVisitor = absl::FunctionRef<void(const std::string& field, std::string& path)>;

// Every field that may name a file or folder.
void VisitPaths(v1::Recipe& recipe, PathVisitor visit) {
  visit("model", *recipe.mutable_model());
  if (recipe.has_calibration()) visit("calibration.dataset", *recipe.mutable_calibration()->mutable_dataset());
  if (recipe.has_sweep()) {
    v1::Sweep& sweep = *recipe.mutable_sweep();
    for (int i = 0; i < sweep.models_size(); ++i)
      visit(absl::StrCat("sweep.models[", i, "]"), *sweep.mutable_models(i));
    for (int i = 0; i < sweep.calibration_size(); ++i) {
      visit(absl::StrCat("sweep.calibration[", i, "].dataset"), *sweep.mutable_calibration(i)->mutable_dataset());
    }
  }
  if (!recipe.has_evaluate()) return;
  v1::Evaluation& evaluate = *recipe.mutable_evaluate();
  visit("evaluate.original", *evaluate.mutable_original());
  visit("evaluate.baseline_model", *evaluate.mutable_baseline_model());
  for (int i = 0; i < evaluate.perplexity_size(); ++i) {
    visit(absl::StrCat("evaluate.perplexity[", i, "].dataset"), *evaluate.mutable_perplexity(i)->mutable_dataset());
  }
}

std::string AbsoluteText(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  return (error ? path : absolute).lexically_normal().string();
}

// Of a data set, only what has a slash is nothing but a path.
bool IsPathAlone(const std::string& field, const std::string& path) {
  return !absl::EndsWith(field, "dataset") || absl::StrContains(path, "/");
}

std::string NotFoundText(const std::string& path, const fs::path& recipe_folder) {
  const std::string beside = AbsoluteText(recipe_folder / path), here = AbsoluteText(path);
  return absl::StrCat("no \"", path, "\": looked for ", beside, beside == here ? "" : absl::StrCat(" and ", here));
}

}  // namespace

bool LooksLikePath(absl::string_view text) {
  return absl::StrContains(text, "/") || absl::StartsWith(text, ".") || absl::EndsWith(text, ".gguf") ||
         absl::EndsWith(text, ".txt");
}

fs::path BesideRecipe(const fs::path& path, const fs::path& recipe_folder) {
  if (path.is_absolute()) return path;
  std::error_code error;
  fs::path beside = (recipe_folder / path).lexically_normal();
  // Where both are one, the recipe's own spelling stays.
  const bool other = fs::exists(beside, error) && !fs::equivalent(beside, path, error);
  return other ? beside : path;
}

void ResolveRecipePaths(const fs::path& recipe_folder, LoadedRecipe& loaded) {
  VisitPaths(loaded.recipe, [&](const std::string& field, std::string& path) {
    if (!LooksLikePath(path) || fs::path(path).is_absolute()) return;
    std::error_code error;
    const fs::path found = BesideRecipe(path, recipe_folder);
    if (!fs::exists(found, error) && IsPathAlone(field, path)) {
      loaded.faults.push_back(loaded.positions.Locate(field, NotFoundText(path, recipe_folder)));
    }
    path = found.string();
  });
  SortFaults(loaded.faults);
}

void MakePathsAbsolute(v1::Recipe& recipe) {
  VisitPaths(recipe, [](const std::string&, std::string& path) {
    std::error_code error;
    if (!LooksLikePath(path) || !fs::exists(path, error)) return;
    const fs::path absolute = fs::absolute(path, error);
    if (!error) path = absolute.lexically_normal().string();
  });
}

}  // namespace tersor::client
