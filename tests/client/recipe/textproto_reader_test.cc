#include "client/recipe/textproto_reader.h"

#include <string>
#include <vector>

#include "client/recipe/recipe_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

LoadedRecipe Load(absl::string_view text) { return LoadRecipe(text, RecipeSyntax::kTextproto); }

std::vector<std::string> Faults(absl::string_view text) {
  std::vector<std::string> lines;
  for (const RecipeFault& fault : Load(text).faults) lines.push_back(FormatFault("r.textproto", fault));
  return lines;
}

TEST(Textproto, ReadsARecipeWithPositions) {
  LoadedRecipe loaded =
      Load("model: \"m\"\nstages {\n  quantize {\n    gptq { bits: 9 }\n  }\n}\ngates: \"a < 1\"\ngates: \"b < 2\"\n");
  EXPECT_TRUE(loaded.faults.empty());
  EXPECT_EQ(loaded.recipe.stages(0).quantize().gptq().bits(), 9);
  EXPECT_EQ(FormatFault("r", loaded.positions.Locate("stages[0].quantize.gptq.bits", "must be 2..8")),
            "r:4:12: stages[0].quantize.gptq.bits: must be 2..8");
  EXPECT_EQ(FormatFault("r", loaded.positions.Locate("gates[1]", "x")), "r:8:1: gates[1]: x");
}

TEST(Textproto, ReportsEveryUnknownField) {
  EXPECT_THAT(Faults("model: \"m\"\nfoo: 1\nbar { x: 2 }\n"),
              ElementsAre(HasSubstr("r.textproto:2:"), HasSubstr("r.textproto:3:")));
}

TEST(Textproto, ReportsSyntaxAndTypes) {
  EXPECT_THAT(Faults("model: \"m\"\nstages {\n"), ElementsAre(HasSubstr("r.textproto:3:1: ")));
  EXPECT_THAT(Faults("model: \"m\"\ncalibration { samples: \"x\" }\n"), ElementsAre(HasSubstr("r.textproto:2:24: ")));
  EXPECT_THAT(Faults("model: \"m\"\ncalibration { samples: 99999999999 }\n"), ElementsAre(HasSubstr("out of range")));
}

TEST(Textproto, MissingModel) { EXPECT_THAT(Faults(""), ElementsAre(HasSubstr("r.textproto:1:1: model: is missing"))); }

TEST(Textproto, BoundsDepth) {
  std::string deep;
  for (int i = 0; i < 5000; ++i) deep += "unknown {";
  EXPECT_FALSE(Faults(deep).empty());
}

}  // namespace
}  // namespace tersor::client
