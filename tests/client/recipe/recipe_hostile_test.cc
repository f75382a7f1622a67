// Files made to hurt: each ends quickly with one clear fault.
#include <string>

#include "client/recipe/recipe_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

using ::testing::HasSubstr;

std::string FirstFault(absl::string_view yaml) {
  LoadedRecipe loaded = LoadRecipe(yaml, RecipeSyntax::kYaml);
  return loaded.faults.empty() ? "" : FormatFault("r.yaml", loaded.faults.front());
}

std::string LastFault(absl::string_view yaml) {
  LoadedRecipe loaded = LoadRecipe(yaml, RecipeSyntax::kYaml);
  return loaded.faults.empty() ? "" : FormatFault("r.yaml", loaded.faults.back());
}

std::string Repeat(absl::string_view piece, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text.append(piece.data(), piece.size());
  return text;
}

TEST(HostileRecipe, DeepNesting) {
  EXPECT_THAT(LastFault("model: " + Repeat("[", 100) + Repeat("]", 100)), HasSubstr("nested deeper than 32 levels"));
  EXPECT_THAT(FirstFault("model: " + Repeat("[", 20000)), HasSubstr("not readable as YAML"));
  EXPECT_THAT(FirstFault(Repeat("- ", 2000) + "x"), HasSubstr("r.yaml:1:"));
  EXPECT_THAT(LastFault("model: " + Repeat("{a: ", 60) + "1" + Repeat("}", 60)), HasSubstr("nested deeper"));
}

TEST(HostileRecipe, AliasBomb) {
  std::string bomb = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    std::string alias = "*a" + std::to_string(i - 1);
    bomb += "b" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + Repeat(alias + ", ", 9) + alias + "]\n";
  }
  EXPECT_THAT(FirstFault(bomb), HasSubstr("the file has more than 50000 values (aliases counted in full)"));
}

TEST(HostileRecipe, AliasToItself) {
  EXPECT_THAT(FirstFault("model: m\ngates: &a [*a]\n"),
              HasSubstr("this alias refers to the value that it is a part of"));
  EXPECT_THAT(FirstFault("model: m\ngates: *nowhere\n"), HasSubstr("not readable as YAML"));
}

TEST(HostileRecipe, TooLarge) {
  EXPECT_THAT(FirstFault("model: m\n#" + std::string(2 << 20, 'x')), HasSubstr("larger than 1024 KiB"));
  EXPECT_THAT(FirstFault("gates: [" + Repeat("a,", 60000) + "a]"), HasSubstr("more than 50000 values"));
}

TEST(HostileRecipe, LongTextIsCutInMessages) {
  std::string fault = FirstFault("model: m\ncalibration: {samples: " + std::string(10000, 'x') + "}\n");
  EXPECT_LT(fault.size(), 200u);
  fault = FirstFault("model: m\n" + std::string(900, 'k') + ": 1\n");
  EXPECT_THAT(fault, HasSubstr("unknown key"));
  EXPECT_LT(fault.size(), 400u);
}

TEST(HostileRecipe, ControlCharactersAndNulAreRefused) {
  EXPECT_THAT(FirstFault(std::string("model: m\0n\n", 11)), HasSubstr("1:9: control characters"));
  EXPECT_THAT(FirstFault("model: m\ngates: [\x04]\n"), HasSubstr("2:9: control characters"));
  EXPECT_THAT(FirstFault("model: \"m\\0n\"\n"), HasSubstr("1:8: a text must not contain the character NUL"));
}

TEST(HostileRecipe, BrokenPiecesOfAGoodFile) {
  const std::string good =
      "model: m\nstages:\n  - quantize: {method: gptq, bits: 4, skip: [\"a\\\"b\", 'c']}\ngates: [a < 1]\n";
  for (size_t cut = 0; cut <= good.size(); ++cut) {
    LoadRecipe(good.substr(0, cut), RecipeSyntax::kYaml);
    for (char c : {'\0', '[', '"', '*', '&', '\t', '%'}) {
      std::string changed = good;
      if (cut < good.size()) changed[cut] = c;
      LoadRecipe(changed, RecipeSyntax::kYaml);
      LoadRecipe(changed, RecipeSyntax::kTextproto);
    }
  }
  EXPECT_TRUE(LoadRecipe(good, RecipeSyntax::kYaml).faults.empty());
}

}  // namespace
}  // namespace tersor::client
