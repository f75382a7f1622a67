// A recipe from the text that a person or a program wrote.
#ifndef TERSOR_CLIENT_RECIPE_RECIPE_LOADER_H_
#define TERSOR_CLIENT_RECIPE_RECIPE_LOADER_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "core/yaml/source_map.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor::client {

// What is wrong with a recipe's text, and where.
using RecipeFault = DocumentFault;

enum class RecipeSyntax { kYaml, kTextproto };

struct LoadedRecipe {
  // What could be read; complete only where there are no faults.
  v1::Recipe recipe;
  SourceMap positions;
  // In the order of the file.
  std::vector<RecipeFault> faults;
};

// By the name's ending: .textproto, .txtpb and .pbtxt are text format; all else is YAML, of which JSON is a part.
RecipeSyntax SyntaxOfFile(absl::string_view name);

// Never fails otherwise than by faults; see docs/recipes.md for the language.
LoadedRecipe LoadRecipe(absl::string_view text, RecipeSyntax syntax);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_RECIPE_RECIPE_LOADER_H_
