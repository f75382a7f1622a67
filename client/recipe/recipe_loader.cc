#include "client/recipe/recipe_loader.h"

#include "absl/strings/match.h"
#include "client/recipe/textproto_reader.h"
#include "core/yaml/document.h"
#include "core/yaml/message_reader.h"

namespace tersor::client {
namespace {

// Reads into `loaded`; false where there was nothing to look into.
bool ReadText(absl::string_view text, RecipeSyntax syntax, LoadedRecipe& loaded) {
  if (syntax == RecipeSyntax::kTextproto) {
    ReadTextproto(text, loaded.positions, loaded.faults, loaded.recipe);
    return true;
  }
  DocumentNodePtr root = ParseYaml(text, {}, loaded.faults);
  if (root == nullptr) return false;
  if (root->kind == DocumentNode::Kind::kNull) {
    loaded.faults.push_back({"", "the file is empty", {}});
    return false;
  }
  ReadMessage(*root, loaded.positions, loaded.faults, loaded.recipe);
  return root->kind == DocumentNode::Kind::kMapping;
}

}  // namespace

RecipeSyntax SyntaxOfFile(absl::string_view name) {
  bool textproto =
      absl::EndsWith(name, ".textproto") || absl::EndsWith(name, ".txtpb") || absl::EndsWith(name, ".pbtxt");
  return textproto ? RecipeSyntax::kTextproto : RecipeSyntax::kYaml;
}

LoadedRecipe LoadRecipe(absl::string_view text, RecipeSyntax syntax) {
  LoadedRecipe loaded;
  bool readable = ReadText(text, syntax, loaded);
  if (readable && loaded.recipe.model().empty() && !(loaded.positions.Contains("model") && !loaded.faults.empty())) {
    loaded.faults.push_back(
        loaded.positions.Locate("model", "is missing: name a registered model, a Hugging Face folder or a .gguf file"));
  }
  SortFaults(loaded.faults);
  return loaded;
}

}  // namespace tersor::client
