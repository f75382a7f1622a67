// A recipe's text, YAML or (where it begins with '#') text format. YAML that loads without faults is written as YAML
// that loads to the same message; sweeps expand within their limit.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "client/recipe/recipe_loader.h"
#include "client/recipe/recipe_writer.h"
#include "core/recipe/sweep.h"
#include "google/protobuf/util/message_differencer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace tersor;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const client::RecipeSyntax syntax =
      text.substr(0, 1) == "#" ? client::RecipeSyntax::kTextproto : client::RecipeSyntax::kYaml;
  const client::LoadedRecipe loaded = client::LoadRecipe(text, syntax);
  if (!loaded.faults.empty()) return 0;
  std::vector<FieldViolation> violations;
  if (loaded.recipe.has_sweep() && ExpandSweep(loaded.recipe, violations).size() > kMaxSweepPoints) std::abort();
  // Text format may leave a stage's kind open, which is for the plan to refuse.
  if (syntax == client::RecipeSyntax::kTextproto) return 0;
  const client::LoadedRecipe again =
      client::LoadRecipe(client::WriteRecipeYaml(loaded.recipe), client::RecipeSyntax::kYaml);
  if (!again.faults.empty() || !google::protobuf::util::MessageDifferencer::Equals(loaded.recipe, again.recipe)) {
    std::abort();
  }
  return 0;
}
