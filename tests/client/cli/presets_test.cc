#include "client/cli/presets.h"

#include "client/recipe/recipe_loader.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

ModelShape SmolShape() { return {"smollm2", {576, 1536}, 576, 8192, true}; }

TEST(Presets, EveryOneIsARecipeWithoutFaults) {
  for (const std::string& name : PresetNames()) {
    for (const std::optional<ModelShape>& shape :
         {std::optional<ModelShape>(), std::optional<ModelShape>(SmolShape())}) {
      PresetRecipe preset = *MakePreset(name, "m.gguf", shape, {});
      LoadedRecipe loaded = LoadRecipe(WriteRecipeYaml(preset.recipe, preset.comments), RecipeSyntax::kYaml);
      for (const RecipeFault& fault : loaded.faults) ADD_FAILURE() << name << FormatFault(":", fault);
      EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(loaded.recipe, preset.recipe)) << name;
    }
  }
}

TEST(Presets, GroupSizesDivideTheModelsWidths) {
  EXPECT_EQ(LargestGroupSize({576, 1536}, {128, 64, 32}), 64);
  EXPECT_EQ(LargestGroupSize({4096, 11008}, {128, 64, 32}), 128);
  EXPECT_EQ(LargestGroupSize({100}, {128, 64, 32}), -1);
  EXPECT_EQ(MakePreset("small", "m", SmolShape(), {})->recipe.stages(0).quantize().gptq().group_size(), 64);
}

TEST(Presets, AModelOfOddWidthsGetsAScaleARow) {
  ModelShape odd{"odd", {100}, 100, 512, false};
  v1::Recipe recipe = MakePreset("balanced", "m", odd, {})->recipe;
  EXPECT_EQ(recipe.stages(0).quantize().gptq().group_size(), -1);
  EXPECT_FALSE(recipe.stages(0).quantize().has_head());
  EXPECT_EQ(recipe.evaluate().perplexity(0).window(), 512);
}

TEST(Presets, ExportsThatCannotHoldTheModelAreLeftOut) {
  v1::Recipe recipe = MakePreset("balanced", "m", SmolShape(), {})->recipe;
  KeepExportsThatFit({{"export[1]", "no"}, {"calibration.dataset", "missing"}}, recipe);
  EXPECT_THAT(recipe.export_(), ElementsAre("compressed-tensors"));
  KeepExportsThatFit({{"export[0]", "no"}}, recipe);
  EXPECT_THAT(recipe.export_(), ElementsAre("safetensors"));
}

TEST(Presets, DataSetsAreSuchAsAreThere) {
  v1::Recipe recipe = MakePreset("safe", "m", SmolShape(), {"debian_reference", "zebra"})->recipe;
  EXPECT_EQ(recipe.calibration().dataset(), "debian_reference");
  EXPECT_EQ(recipe.evaluate().perplexity(0).dataset(), "zebra");
  // The whole of a text is in both of its parts.
  recipe = MakePreset("safe", "m", SmolShape(), {"manual", "manual_calibration", "manual_evaluation", "zebra"})->recipe;
  EXPECT_EQ(recipe.calibration().dataset(), "manual_calibration");
  EXPECT_EQ(recipe.evaluate().perplexity(0).dataset(), "manual_evaluation");
  recipe = MakePreset("safe", "m", SmolShape(), {"a", "wikitext2_tokens_test", "wikitext2_tokens_valid"})->recipe;
  EXPECT_EQ(recipe.calibration().dataset(), "wikitext2_tokens_valid");
  EXPECT_EQ(recipe.evaluate().perplexity(0).dataset(), "wikitext2_tokens_test");
}

TEST(Presets, CommentsNameTheModelsWidths) {
  PresetRecipe preset = *MakePreset("balanced", "m.gguf", SmolShape(), {});
  std::string yaml = WriteRecipeYaml(preset.recipe, preset.comments);
  EXPECT_THAT(yaml, HasSubstr("must divide the layers' input widths (576, 1536)"));
  EXPECT_THAT(yaml, HasSubstr("one parameter in this model"));
}

TEST(Presets, AnUnknownOneIsAnsweredWithTheKnown) {
  absl::Status status = MakePreset("tiny", "m", std::nullopt, {}).status();
  EXPECT_EQ(status.message(), "unknown preset \"tiny\"; known: small, balanced, safe");
}

}  // namespace
}  // namespace tersor::client
