#include "core/recipe/recipe_bounds.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(RecipeBoundsTest, OrdinaryRecipesAreInBounds) {
  v1::Recipe recipe;
  recipe.set_description(std::string(kMaxRecipeText, 'x'));
  for (int i = 0; i < kMaxRecipeItems; ++i) recipe.add_gates("perplexity < 10");
  EXPECT_THAT(CheckRecipeBounds(recipe), IsEmpty());
}

TEST(RecipeBoundsTest, LongTextsAreNamedWhereverTheyStand) {
  const std::string text(kMaxRecipeText + 1, 'x');
  v1::Recipe recipe;
  recipe.set_description(text);
  recipe.add_gates("fine");
  recipe.add_gates(text);
  recipe.mutable_evaluate()->add_tasks()->set_name(text);
  EXPECT_THAT(CheckRecipeBounds(recipe),
              ::testing::UnorderedElementsAre(Field(&FieldViolation::field, "description"),
                                              Field(&FieldViolation::field, "gates[1]"),
                                              Field(&FieldViolation::field, "evaluate.tasks[0].name")));
}

TEST(RecipeBoundsTest, LongListsAreRefused) {
  v1::Recipe recipe;
  for (int i = 0; i <= kMaxRecipeItems; ++i) recipe.mutable_sweep()->add_seeds(i);
  EXPECT_THAT(CheckRecipeBounds(recipe), ElementsAre(Field(&FieldViolation::field, "sweep.seeds")));
}

TEST(RecipeBoundsTest, ManyLongTextsAreTooMuchTogether) {
  v1::Recipe recipe;
  for (int i = 0; i < 17; ++i) recipe.add_gates(std::string(kMaxRecipeText, 'x'));
  EXPECT_THAT(CheckRecipeBounds(recipe),
              ElementsAre(Field(&FieldViolation::description, HasSubstr("at most 1048576"))));
}

}  // namespace
}  // namespace tersor
