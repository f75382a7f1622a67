// What a faulty recipe is told, word for word.
#include <string>
#include <vector>

#include "client/recipe/recipe_loader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
// Lists of names grow with the messages: their beginnings stay.
using ::testing::StartsWith;

std::vector<std::string> Faults(absl::string_view yaml) {
  std::vector<std::string> lines;
  for (const RecipeFault& fault : LoadRecipe(yaml, RecipeSyntax::kYaml).faults) {
    lines.push_back(FormatFault("r.yaml", fault));
  }
  return lines;
}

TEST(RecipeFaults, UnknownKeyAtTheTop) {
  EXPECT_THAT(Faults("model: m\nstagess: []\n"),
              ElementsAre(StartsWith("r.yaml:2:1: stagess: unknown key; did you mean \"stages\"? known keys: model, "
                                     "calibration, stages, evaluate, gates, export, precision, description")));
}

TEST(RecipeFaults, UnknownOptionOfAMethod) {
  EXPECT_THAT(
      Faults("model: m\nstages:\n  - quantize: {method: rtn, bit: 4}\n"),
      ElementsAre(StartsWith("r.yaml:3:29: stages[0].quantize.bit: unknown key; did you mean \"bits\"? known keys: "
                             "method, bits, group_size, symmetric, scale_search, skip, head")));
}

TEST(RecipeFaults, OptionOfAnotherMethod) {
  std::vector<std::string> faults = Faults("model: m\nstages:\n  - quantize: {method: rtn, damping: 0.1}\n");
  EXPECT_THAT(faults, ElementsAre(HasSubstr("r.yaml:3:29: stages[0].quantize.damping: method rtn has no such option")));
}

TEST(RecipeFaults, UnknownMethodIsTheOnlyFaultOfItsOptions) {
  EXPECT_THAT(Faults("model: m\nstages:\n  - quantize: {method: gptqq, bits: 4}\n"),
              ElementsAre(StartsWith("r.yaml:3:24: stages[0].quantize.method: unknown method \"gptqq\"; did you mean "
                                     "\"gptq\"? known methods: rtn, gptq")));
}

TEST(RecipeFaults, MissingMethod) {
  EXPECT_THAT(Faults("model: m\nstages:\n  - quantize: {bits: 4}\n"),
              ElementsAre(HasSubstr("r.yaml:3:15: stages[0].quantize: needs a method: NAME; known methods: rtn, gptq"),
                          StartsWith("r.yaml:3:16: stages[0].quantize.bits: this option needs a method beside it: "
                                     "method: NAME; known methods: rtn, gptq")));
}

TEST(RecipeFaults, TwoMethods) {
  EXPECT_THAT(
      Faults("model: m\nstages:\n  - quantize: {rtn: {}, gptq: {}}\n"),
      ElementsAre("r.yaml:3:25: stages[0].quantize.gptq: excludes \"rtn\", which is given too; keep one of them"));
  EXPECT_THAT(Faults("model: m\nstages:\n  - quantize: {method: gptq, gptq: {bits: 4}}\n"),
              ElementsAre(HasSubstr("method \"gptq\" is chosen twice")));
}

TEST(RecipeFaults, EmptyStage) {
  EXPECT_THAT(Faults("model: m\nstages:\n  - {}\n"),
              ElementsAre("r.yaml:3:5: stages[0]: needs one of quantize, prune"));
}

TEST(RecipeFaults, WrongTypes) {
  EXPECT_THAT(
      Faults("model: [a]\n"
             "calibration: wiki\n"
             "stages:\n"
             "  - quantize: {method: rtn, bits: four, symmetric: yes, group_size: \"64\", skip: {a: 1}}\n"
             "  - quantize: {method: gptq, damping: small, bits: 4.5}\n"),
      ElementsAre("r.yaml:1:8: model: expected text, got a list",
                  StartsWith("r.yaml:2:14: calibration: expected a mapping with the keys dataset, samples, tokens"),
                  "r.yaml:4:35: stages[0].quantize.bits: expected an integer, got the text \"four\"",
                  "r.yaml:4:52: stages[0].quantize.symmetric: expected true or false, got the text \"yes\"",
                  "r.yaml:4:69: stages[0].quantize.group_size: expected an integer, got the text \"64\" (remove "
                  "the quotes)",
                  "r.yaml:4:81: stages[0].quantize.skip: expected text, got a mapping",
                  "r.yaml:5:39: stages[1].quantize.damping: expected a number, got the text \"small\"",
                  "r.yaml:5:52: stages[1].quantize.bits: expected an integer, got the text \"4.5\""));
}

TEST(RecipeFaults, NumbersOutOfRange) {
  EXPECT_THAT(Faults("model: m\nstages:\n  - quantize: {method: gptq, bits: 4294967300, damping: .inf}\n"
                     "calibration: {samples: 99999999999999999999999}\n"),
              ElementsAre("r.yaml:3:36: stages[0].quantize.bits: 4294967300 is out of range",
                          "r.yaml:3:57: stages[0].quantize.damping: expected a number, got the text \".inf\"",
                          "r.yaml:4:24: calibration.samples: 99999999999999999999999 is out of range"));
  EXPECT_THAT(Faults("model: m\nstages:\n  - quantize: {method: gptq, damping: nan}\n"),
              ElementsAre("r.yaml:3:39: stages[0].quantize.damping: expected a finite number, got nan"));
}

TEST(RecipeFaults, UnknownEnumValue) {
  EXPECT_THAT(Faults("model: m\nstages:\n  - quantize: {method: rtn, scale_search: msee}\n"),
              ElementsAre("r.yaml:3:43: stages[0].quantize.scale_search: unknown value \"msee\"; did you mean \"mse\"? "
                          "known: minmax, mse, hessian"));
  EXPECT_THAT(Faults("model: m\nstages:\n  - quantize: {method: rtn, scale_search: unspecified}\n"),
              ElementsAre(HasSubstr("unknown value \"unspecified\"")));
}

TEST(RecipeFaults, DuplicateKeys) {
  EXPECT_THAT(Faults("model: m\ngates: []\nmodel: n\n"),
              ElementsAre("r.yaml:3:1: model: duplicate key; first given in line 1"));
  EXPECT_THAT(
      Faults("model: m\nstages:\n  - quantize:\n      method: rtn\n      bits: 4\n      bits: 3\n      method: gptq\n"),
      ElementsAre("r.yaml:6:7: stages[0].quantize.bits: duplicate key; first given in line 5",
                  "r.yaml:7:7: stages[0].quantize.method: duplicate key; first given in line 4"));
  EXPECT_THAT(Faults("model: m\nstages:\n  - quantize: {method: rtn, group_size: 32, groupSize: 64}\n"),
              ElementsAre(HasSubstr("stages[0].quantize.group_size: duplicate key; first given in line 3")));
}

TEST(RecipeFaults, MissingModel) {
  EXPECT_THAT(
      Faults("gates: []\n"),
      ElementsAre("r.yaml:1:1: model: is missing: name a registered model, a Hugging Face folder or a .gguf file"));
  EXPECT_THAT(Faults("model:\n"), ElementsAre("r.yaml:1:1: model: has no value; give one or remove the key"));
}

TEST(RecipeFaults, ValuesThatAreMissing) {
  EXPECT_THAT(Faults("model: m\ngates:\ncalibration:\n  samples:\n"),
              ElementsAre("r.yaml:2:1: gates: has no value; give one or remove the key",
                          "r.yaml:4:3: calibration.samples: has no value; give one or remove the key"));
}

TEST(RecipeFaults, AllAtOnce) {
  EXPECT_EQ(Faults("modell: m\n"
                   "calibration: {dataset: [x], sample: 3}\n"
                   "stages:\n"
                   "  - quantise: {method: gptq}\n"
                   "  - quantize: {method: gptq, bits: x}\n"
                   "evaluate: {perplexity: [{window: big}]}\n")
                .size(),
            7u);
}

TEST(RecipeFaults, Syntax) {
  EXPECT_THAT(Faults("model: [a, b\n"), ElementsAre(HasSubstr("not readable as YAML: ")));
  EXPECT_THAT(Faults("model: m\n\tgates: []\n"), ElementsAre(HasSubstr("r.yaml:2:")));
  EXPECT_THAT(Faults(""), ElementsAre("r.yaml:1:1: the file is empty"));
  EXPECT_THAT(Faults("# nothing\n"), ElementsAre("r.yaml:1:1: the file is empty"));
  EXPECT_THAT(Faults("just text\n"), ElementsAre(HasSubstr("r.yaml:1:1: expected a mapping with the keys model, ")));
  EXPECT_THAT(Faults("model: a\n---\nmodel: b\n"),
              ElementsAre("r.yaml:3:1: the file is one document; remove what begins here"));
  EXPECT_THAT(Faults("? [a, b]\n: c\nmodel: m\n"), ElementsAre(HasSubstr("a key must be text, not a list")));
  EXPECT_THAT(Faults("model: m\ndescription: a\xFFz\n"), ElementsAre("r.yaml:2:15: not UTF-8 text (byte 23)"));
}

}  // namespace
}  // namespace tersor::client
