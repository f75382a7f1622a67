#include "client/recipe/recipe_writer.h"

#include <string>

#include "client/recipe/recipe_loader.h"
#include "google/protobuf/text_format.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

v1::Recipe Parse(const std::string& textproto) {
  v1::Recipe recipe;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(textproto, &recipe)) << textproto;
  return recipe;
}

void ExpectRoundTrip(const v1::Recipe& recipe, const RecipeComments& comments = {}) {
  std::string yaml = WriteRecipeYaml(recipe, comments);
  LoadedRecipe loaded = LoadRecipe(yaml, RecipeSyntax::kYaml);
  for (const RecipeFault& fault : loaded.faults) ADD_FAILURE() << FormatFault("r.yaml", fault) << "\n" << yaml;
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(loaded.recipe, recipe)) << yaml;
}

v1::Recipe FullRecipe() {
  return Parse(R"(
    model: "models/SmolLM2 135M.gguf"
    calibration { dataset: "wiki" samples: 16 tokens: 512 }
    stages { quantize { skip: "lm_head" skip: "re:.*\\.0\\..*" head { tie: "keep" bits: 8 group_size: 32 }
                        gptq { bits: 4 group_size: -1 symmetric: false scale_search: SCALE_SEARCH_MSE damping: 0.01
                               activation_order: true on_factorization_failure: FACTORIZATION_FAILURE_POLICY_FAIL } } }
    stages { quantize { rtn {} } }
    evaluate { perplexity { dataset: "a" window: 512 } perplexity { convention: "llama.cpp" } perplexity {}
               divergence { enabled: false } performance {} tasks { name: "piqa" limit: 50 } }
    gates: "perplexity_ratio <= 1.3"
    export: "gguf:q4_0" export: "compressed-tensors"
    precision: "f32"
    kv { bits: 4 keys: "channel" }
    gating { confidence: 0.9 on_inconclusive: "extend" }
    sweep { models: "a" models: "b" methods { head { bits: 8 } rtn { bits: 4 } } methods { awq {} } bits: 3 bits: 4
            group_sizes: -1 calibration { seed: 2 } seeds: 1 }
  )");
}

TEST(WriteRecipeYaml, RoundTrip) {
  ExpectRoundTrip(FullRecipe());
  ExpectRoundTrip(FullRecipe(), {{"", "A recipe\n\nof two parts"},
                                 {"stages", "what is done"},
                                 {"stages[0]", "first"},
                                 {"stages[0].quantize", "q"},
                                 {"stages[0].quantize.gptq", "method"},
                                 {"stages[0].quantize.gptq.bits", "2..8"},
                                 {"evaluate.perplexity[1]", "second"},
                                 {"gates", "g"},
                                 {"gates[0]", "first gate"}});
}

TEST(WriteRecipeYaml, RoundTripOfOddText) {
  for (std::string text :
       {"",     " ",   "true", "0123",       "1e5",         "~",           "- a",       "a: b",
        "a #b", "a:",  "#",    "\"quoted\"", "back\\slash", "line\nbreak", "tab\there", "caf\xC3\xA9",
        "[x]",  "{y}", "*a",   "&b",         "!c",          "%d",          "a, b",      "\x01"}) {
    v1::Recipe recipe;
    recipe.set_model("m");
    recipe.set_description(text);
    recipe.add_gates(text);
    if (text.empty()) recipe.clear_description();
    ExpectRoundTrip(recipe);
  }
}

TEST(WriteRecipeYaml, RoundTripOfNumbers) {
  for (double value : {0.01, 1e-10, 0.1 + 0.2, 1.0, 1e300, -2.5}) {
    v1::Recipe recipe;
    recipe.set_model("m");
    recipe.add_stages()->mutable_quantize()->mutable_gptq()->set_damping(value);
    ExpectRoundTrip(recipe);
  }
}

TEST(WriteRecipeYaml, LooksAsAPersonWouldWriteIt) {
  v1::Recipe recipe = Parse(R"(
    model: "m.gguf"
    stages { quantize { skip: "lm_head" gptq { bits: 4 scale_search: SCALE_SEARCH_MSE } } }
    evaluate { divergence {} }
    gates: "perplexity_ratio <= 1.3"
    export: "gguf:q4_0")");
  EXPECT_EQ(
      WriteRecipeYaml(
          recipe, {{"", "Made for m."}, {"stages", "Applied in order."}, {"stages[0].quantize.gptq.bits", "2 to 8."}}),
      R"(# Made for m.
model: m.gguf
# Applied in order.
stages:
  - quantize:
      method: gptq
      # 2 to 8.
      bits: 4
      scale_search: mse
      skip:
        - lm_head
evaluate:
  divergence: {}
gates:
  - perplexity_ratio <= 1.3
export:
  - gguf:q4_0
)");
}

}  // namespace
}  // namespace tersor::client
