#include "client/recipe/recipe_loader.h"

#include <string>

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

// `yaml` is read without faults as `textproto`.
void ExpectReads(absl::string_view yaml, const std::string& textproto) {
  LoadedRecipe loaded = LoadRecipe(yaml, RecipeSyntax::kYaml);
  for (const RecipeFault& fault : loaded.faults) ADD_FAILURE() << FormatFault("recipe.yaml", fault);
  EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(loaded.recipe, Parse(textproto)))
      << loaded.recipe.DebugString();
}

constexpr absl::string_view kDesignExample = R"(
model: smollm2-135m                 # a registered model, a folder or a .gguf file
calibration: {dataset: wikitext2_tokens_valid, samples: 16, tokens: 512}
stages:
  - quantize: {method: gptq, bits: 4, group_size: 64, symmetric: true, skip: [lm_head]}
evaluate:
  perplexity: {dataset: wikitext2_tokens_test, window: 2048, max_windows: 8}
  divergence: {}
  tasks: [lambada_openai, arc_easy, piqa]
  performance: {prefill: 512, decode: 64}
gates:
  - perplexity_ratio <= 1.3
  - task_accuracy_drop <= 0.05
export: [compressed-tensors, gguf:q4_0]
)";

constexpr char kDesignExampleProto[] = R"(
  model: "smollm2-135m"
  calibration { dataset: "wikitext2_tokens_valid" samples: 16 tokens: 512 }
  stages { quantize { skip: "lm_head" gptq { bits: 4 group_size: 64 symmetric: true } } }
  evaluate {
    perplexity { dataset: "wikitext2_tokens_test" window: 2048 max_windows: 8 }
    divergence {}
    performance { prefill: 512 decode: 64 }
    tasks { name: "lambada_openai" } tasks { name: "arc_easy" } tasks { name: "piqa" }
  }
  gates: "perplexity_ratio <= 1.3" gates: "task_accuracy_drop <= 0.05"
  export: "compressed-tensors" export: "gguf:q4_0"
)";

TEST(LoadRecipe, ReadsTheDesignExample) { ExpectReads(kDesignExample, kDesignExampleProto); }

TEST(LoadRecipe, ReadsTasksAndSuitesAsNamesOrMappings) {
  ExpectReads("model: m\nevaluate:\n  tasks: [piqa, {name: mmlu, limit: 40, few_shot: 5}]\n  suite: quick\n",
              R"(model: "m" evaluate { tasks { name: "piqa" } tasks { name: "mmlu" limit: 40 few_shot: 5 }
                                      suite { name: "quick" } })");
  ExpectReads("model: m\nevaluate:\n  tasks: piqa\n  suite: {name: kick, apply_chat_template: true}\n",
              R"(model: "m" evaluate { tasks { name: "piqa" } suite { name: "kick" apply_chat_template: true } })");
}

TEST(LoadRecipe, ReadsEveryEscapeOfJson) {
  ExpectReads(R"({"model": "a\/b", "description": "\ud83d\uDE00\\ud83d\\ude00 \u00e9\ud83d\ude00\t\""})",
              "model: 'a/b' description: '\xf0\x9f\x98\x80\\\\ud83d\\\\ude00 \xc3\xa9\xf0\x9f\x98\x80\\t\"'");
  // In YAML a plain scalar has no escapes.
  ExpectReads("model: m\ndescription: \\ud83d\\ude00\n", R"(model: "m" description: "\\ud83d\\ude00")");
}

TEST(LoadRecipe, TakesTabsAndCarriageReturnsInJson) {
  ExpectReads("{\r\n\t\"model\":\t\"m\",\r\n\t\"export\": [\t\"safetensors\"\t]\r\n}\r\n",
              R"(model: "m" export: "safetensors")");
}

TEST(LoadRecipe, HalfOfACharacterIsAFault) {
  const LoadedRecipe loaded = LoadRecipe("{\"model\": \"m\",\n \"description\": \"\\ud83d\"}", RecipeSyntax::kYaml);
  ASSERT_EQ(loaded.faults.size(), 1);
  EXPECT_EQ(loaded.faults[0].position.line, 2);
}

TEST(LoadRecipe, ReadsTheNestedMethod) {
  ExpectReads("model: m\nstages:\n- quantize:\n    skip: [a, 're:b.*']\n    gptq: {bits: 3, damping: 0.05}\n",
              R"(model: "m" stages { quantize { skip: "a" skip: "re:b.*" gptq { bits: 3 damping: 0.05 } } })");
}

TEST(LoadRecipe, AMethodNeedsNoOptions) {
  ExpectReads("model: m\nstages: [quantize: {method: rtn}]\n", R"(model: "m" stages { quantize { rtn {} } })");
}

TEST(LoadRecipe, OptionsMayComeBeforeTheMethod) {
  ExpectReads("model: m\nstages:\n- quantize: {bits: 8, method: rtn, head: {bits: 8, tie: untie}}\n",
              R"(model: "m" stages { quantize { head { bits: 8 tie: "untie" } rtn { bits: 8 } } })");
}

TEST(LoadRecipe, AListOfOneMayBeItsValue) {
  ExpectReads("model: m\nstages: {quantize: {method: rtn}}\ngates: kl_mean <= 0.1\nexport: gguf:q8_0\n",
              R"(model: "m" stages { quantize { rtn {} } } gates: "kl_mean <= 0.1" export: "gguf:q8_0")");
}

TEST(LoadRecipe, PerplexityMayBeAList) {
  ExpectReads("model: m\nevaluate:\n  perplexity:\n  - {dataset: a, bos: true}\n  - {dataset: b, convention: words}\n",
              R"(model: "m" evaluate { perplexity { dataset: "a" bos: true }
                                       perplexity { dataset: "b" convention: "words" } })");
}

TEST(LoadRecipe, EnumsHaveShortNames) {
  constexpr char kExpected[] = R"(model: "m" stages { quantize { gptq {
      scale_search: SCALE_SEARCH_MSE on_factorization_failure: FACTORIZATION_FAILURE_POLICY_RTN } } })";
  for (absl::string_view spelling : {"mse", "MSE", "SCALE_SEARCH_MSE"}) {
    ExpectReads(absl::StrCat("model: m\nstages:\n- quantize: {method: gptq, scale_search: ", spelling,
                             ", on_factorization_failure: rtn}\n"),
                kExpected);
  }
}

TEST(LoadRecipe, AnEmptyValueIsAnEmptyMessage) {
  ExpectReads("model: m\nevaluate:\n  divergence:\n", R"(model: "m" evaluate { divergence {} })");
}

TEST(LoadRecipe, TextKeepsItsSpelling) {
  ExpectReads("model: 0123\ndescription: true\n", R"(model: "0123" description: "true")");
  ExpectReads("model: \"a # b\"\ndescription: |\n  two\n  lines\n", R"(model: "a # b" description: "two\nlines\n")");
}

TEST(LoadRecipe, ReadsJson) {
  ExpectReads(R"({"model": "m", "stages": [{"quantize": {"gptq": {"bits": 4, "groupSize": 32,
                "scaleSearch": "SCALE_SEARCH_HESSIAN"}}}],
	"evaluate": {"divergence": {"enabled": false}}, "gates": ["a < 1"], "description": "\u00e9 \"x\" \/"})",
              R"(model: "m" stages { quantize { gptq { bits: 4 group_size: 32 scale_search: SCALE_SEARCH_HESSIAN } } }
                 evaluate { divergence { enabled: false } } gates: "a < 1" description: "é \"x\" /")");
}

TEST(LoadRecipe, AliasesAreTheirAnchorsValue) {
  ExpectReads("model: m\ncalibration: {dataset: &text wiki}\nevaluate: {perplexity: {dataset: *text}}\n",
              R"(model: "m" calibration { dataset: "wiki" } evaluate { perplexity { dataset: "wiki" } })");
}

TEST(LoadRecipe, KnowsWhereEverythingStands) {
  LoadedRecipe loaded = LoadRecipe(kDesignExample, RecipeSyntax::kYaml);
  auto where = [&](absl::string_view field) { return FormatFault("r.yaml", loaded.positions.Locate(field, "x")); };
  EXPECT_EQ(where("model"), "r.yaml:2:8: model: x");
  EXPECT_EQ(where("stages[0].quantize.gptq.bits"), "r.yaml:5:36: stages[0].quantize.bits: x");
  EXPECT_EQ(where("stages[0].quantize.gptq.damping"), "r.yaml:5:24: stages[0].quantize.damping: x");
  EXPECT_EQ(where("evaluate.perplexity[0].window"), "r.yaml:7:56: evaluate.perplexity.window: x");
  EXPECT_EQ(where("gates[1]"), "r.yaml:13:5: gates[1]: x");
  EXPECT_EQ(where("export[1]"), "r.yaml:14:30: export[1]: x");
}

TEST(SyntaxOfFile, GoesByTheEnding) {
  EXPECT_EQ(SyntaxOfFile("a/recipe.textproto"), RecipeSyntax::kTextproto);
  EXPECT_EQ(SyntaxOfFile("recipe.txtpb"), RecipeSyntax::kTextproto);
  EXPECT_EQ(SyntaxOfFile("recipe.yaml"), RecipeSyntax::kYaml);
  EXPECT_EQ(SyntaxOfFile("recipe.json"), RecipeSyntax::kYaml);
  EXPECT_EQ(SyntaxOfFile("-"), RecipeSyntax::kYaml);
}

TEST(RecipeLoaderTest, ReadsASweep) {
  ExpectReads(R"(
model: m
sweep:
  methods: [{method: rtn}, {method: gptq, damping: 0.02}]
  bits: [3, 4]
  calibration: [{dataset: a}, {dataset: b, samples: 4}]
  seeds: [1, 2]
)",
              R"pb(model: "m"
                   sweep {
                     methods { rtn {} }
                     methods { gptq { damping: 0.02 } }
                     bits: [ 3, 4 ]
                     calibration { dataset: "a" }
                     calibration { dataset: "b" samples: 4 }
                     seeds: [ 1, 2 ]
                   })pb");
}

}  // namespace
}  // namespace tersor::client
