// A recipe as the YAML that a person would write.
#ifndef TERSOR_CLIENT_RECIPE_RECIPE_WRITER_H_
#define TERSOR_CLIENT_RECIPE_RECIPE_WRITER_H_

#include <map>
#include <string>

#include "tersor/v1/recipe.pb.h"

namespace tersor::client {

// Text that goes before a field, by canonical field path ("stages[0].quantize"); "" is the head of the file. Lines are
// separated by '\n' and written with "# " before them.
using RecipeComments = std::map<std::string, std::string>;

// LoadRecipe gives the same message back.
std::string WriteRecipeYaml(const v1::Recipe& recipe, const RecipeComments& comments = {});

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_RECIPE_RECIPE_WRITER_H_
