#include "client/cli/recipe_paths.h"

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

namespace fs = std::filesystem;

// A working folder with a recipe's folder beside the texts.
class RecipePathsTest : public ::testing::Test {
 protected:
  RecipePathsTest() : before_(fs::current_path()), folder_(fs::path(testing::TempDir()) / "recipe_paths") {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "recipes/weights");
    fs::current_path(folder_);
    std::ofstream("recipes/both.txt") << "beside";
    std::ofstream("both.txt") << "here";
    std::ofstream("here.txt") << "here";
  }
  ~RecipePathsTest() override {
    fs::current_path(before_);
    fs::remove_all(folder_);
  }

  fs::path before_, folder_;
};

TEST_F(RecipePathsTest, BesideTheRecipeGoesFirst) {
  LoadedRecipe loaded = LoadRecipe(
      "model: ./weights\ncalibration: {dataset: here.txt}\n"
      "evaluate: {perplexity: [{dataset: both.txt}, {dataset: by_name}], original: /srv/model}\n",
      RecipeSyntax::kYaml);
  ResolveRecipePaths("recipes", loaded);
  EXPECT_THAT(loaded.faults, ElementsAre());
  EXPECT_EQ(loaded.recipe.model(), "recipes/weights");
  EXPECT_EQ(loaded.recipe.calibration().dataset(), "here.txt");
  EXPECT_EQ(loaded.recipe.evaluate().perplexity(0).dataset(), "recipes/both.txt");
  EXPECT_EQ(loaded.recipe.evaluate().perplexity(1).dataset(), "by_name");
  EXPECT_EQ(loaded.recipe.evaluate().original(), "/srv/model");
}

TEST_F(RecipePathsTest, SpellingStaysWhereTheRecipeLiesHere) {
  fs::create_directories("weights");
  LoadedRecipe loaded = LoadRecipe("model: ./weights\n", RecipeSyntax::kYaml);
  ResolveRecipePaths("", loaded);
  EXPECT_EQ(loaded.recipe.model(), "./weights");
  EXPECT_TRUE(loaded.faults.empty());
}

TEST_F(RecipePathsTest, AFaultTellsWhereItLooked) {
  LoadedRecipe loaded = LoadRecipe("model: ./none\ncalibration: {dataset: not_there.txt}\n", RecipeSyntax::kYaml);
  ResolveRecipePaths("recipes", loaded);
  EXPECT_THAT(loaded.faults,
              ElementsAre(Field(&RecipeFault::description,
                                HasSubstr("no \"./none\": looked for " + (folder_ / "recipes/none").string() + " and " +
                                          (folder_ / "none").string()))));
  EXPECT_EQ(loaded.faults[0].position.line, 1);
}

}  // namespace
}  // namespace tersor::client
