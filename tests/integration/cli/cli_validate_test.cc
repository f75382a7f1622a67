// Bad recipes, by name: the message with its line, and exit code 2.
#include "tests/integration/cli/tersor_process.h"

namespace tersor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

class CliValidateTest : public CliTest {
 protected:
  // Validates `yaml`, which must be refused, and answers what was said.
  std::string Faults(const std::string& yaml) {
    Write("r.yaml", yaml);
    ProcessResult result = Tersor({"validate", "r.yaml"});
    EXPECT_EQ(result.code, 2) << result.out << result.err;
    EXPECT_EQ(result.out, "");
    return result.err;
  }
};

constexpr char kGood[] =
    "model: model\n"
    "calibration: {dataset: foxes, samples: 4, tokens: 64}\n"
    "stages:\n"
    "  - quantize: {method: gptq, bits: 4, group_size: 32}\n"
    "evaluate: {perplexity: {dataset: foxes, window: 64, max_windows: 4}}\n"
    "gates: [perplexity_ratio <= 5]\n";

TEST_F(CliValidateTest, AGoodRecipe) {
  Write("r.yaml", kGood);
  ProcessResult result = Tersor({"validate", "r.yaml"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "r.yaml: no faults\n");
  EXPECT_EQ(Tersor({"validate", "-"}, kGood).code, 0);
  result = Tersor({"validate", "r.yaml", "--output", "json"});
  EXPECT_THAT(result.out, HasSubstr("\"valid\": true"));
}

TEST_F(CliValidateTest, UnknownKey) {
  EXPECT_THAT(
      Faults("model: model\nstages:\n  - quantize: {method: rtn, bit: 4}\n"),
      HasSubstr("r.yaml:3:29: stages[0].quantize.bit: unknown key; did you mean \"bits\"? known keys: method, bits"));
}

TEST_F(CliValidateTest, UnknownMethod) {
  EXPECT_THAT(Faults("model: model\nstages:\n  - quantize: {method: gtpq}\n"),
              HasSubstr("r.yaml:3:24: stages[0].quantize.method: unknown method \"gtpq\""));
}

TEST_F(CliValidateTest, UnknownDatasetListsPlacesAndNames) {
  EXPECT_THAT(Faults("model: model\nevaluate: {perplexity: {dataset: wolves, window: 64}}\n"),
              AllOf(HasSubstr("r.yaml:2:34: evaluate.perplexity.dataset: "), HasSubstr("wolves"),
                    HasSubstr("data/text/wolves.txt"), HasSubstr("foxes")));
}

TEST_F(CliValidateTest, GroupSizeThatDoesNotDivide) {
  EXPECT_THAT(
      Faults("model: model\nstages:\n  - quantize: {method: rtn, group_size: 48}\n"),
      AllOf(HasSubstr("r.yaml:3:41: stages[0].quantize.group_size: group size 48 does not divide"),
            HasSubstr("model.layers.0.mlp.down_proj (128 inputs)"), HasSubstr("sizes that divide all layers: 64, 32")));
}

TEST_F(CliValidateTest, BitsOutOfRange) {
  EXPECT_THAT(Faults("model: model\nstages:\n  - quantize: {method: rtn, bits: 9}\n"),
              HasSubstr("r.yaml:3:35: stages[0].quantize.bits: must be 2 to 8, got 9"));
  EXPECT_THAT(Faults("model: model\nstages:\n  - quantize: {rtn: {bits: 1}}\n"),
              HasSubstr("r.yaml:3:28: stages[0].quantize.rtn.bits: must be 2 to 8, got 1"));
}

TEST_F(CliValidateTest, MissingModel) {
  EXPECT_THAT(Faults("model: ./nowhere\n"), HasSubstr("r.yaml:1:8: model: "));
  EXPECT_THAT(Faults("gates: []\n"), HasSubstr("r.yaml:1:1: model: is missing"));
}

TEST_F(CliValidateTest, AModelThatOnlyTheServerKnowsIsNoFault) {
  Write("r.yaml", "model: smollm2\nstages:\n  - quantize: {method: rtn}\n");
  ProcessResult result = Tersor({"validate", "r.yaml"});
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("model \"smollm2\" is not on this machine"));
  EXPECT_THAT(Faults("model: smollm2\nstages:\n  - quantize: {method: rtn, bits: 9}\n"),
              HasSubstr("r.yaml:3:35: stages[0].quantize.bits: must be 2 to 8, got 9"));
}

TEST_F(CliValidateTest, TextThatIsEmptyShortOrNotUtf8) {
  Write("data/text/empty.txt", "");
  Write("data/text/short.txt", "few words");
  Write("data/text/binary.txt", "good \xFF bad");
  EXPECT_THAT(Faults("model: model\ncalibration: {dataset: empty}\nstages:\n  - quantize: {method: gptq}\n"),
              AllOf(HasSubstr("r.yaml:2:24: calibration.dataset: "), HasSubstr("empty")));
  EXPECT_THAT(Faults("model: model\nevaluate: {perplexity: {dataset: short, window: 64}}\n"),
              AllOf(HasSubstr("r.yaml:2:34: evaluate.perplexity.dataset: "), HasSubstr("9 bytes")));
  EXPECT_THAT(Faults("model: model\nevaluate: {perplexity: {dataset: binary, window: 4}}\n"),
              AllOf(HasSubstr("evaluate.perplexity.dataset: "), HasSubstr("5")));
}

TEST_F(CliValidateTest, WrongGatesAndExports) {
  std::string faults = Faults(
      "model: model\nevaluate: {perplexity: {dataset: foxes, window: 64}}\n"
      "gates:\n  - perplexity_ration <= 1.3\n  - kl_mean smaller 3\nexport: [onnx, gguf:q4_0]\n");
  EXPECT_THAT(faults, AllOf(HasSubstr("r.yaml:4:5: gates[0]: "), HasSubstr("perplexity_ratio"),
                            HasSubstr("r.yaml:5:5: gates[1]: "), HasSubstr("r.yaml:6:10: export[0]: ")));
}

TEST_F(CliValidateTest, EveryFaultAtOnce) {
  std::string faults = Faults(
      "model: model\ncalibration: {dataset: wolves, samples: many}\nstages:\n"
      "  - quantize: {method: rtn, bits: 9}\ngates: [nonsense]\nexports: []\n");
  EXPECT_THAT(faults, AllOf(HasSubstr("r.yaml:2:24: "), HasSubstr("r.yaml:2:41: "), HasSubstr("r.yaml:4:35: "),
                            HasSubstr("r.yaml:5:9: "), HasSubstr("r.yaml:6:1: "), HasSubstr("5 faults in r.yaml")));
}

TEST_F(CliValidateTest, CommandsThatWouldWorkTellAsMuch) {
  Write("r.yaml",
        "model: model\nmodell: x\nstages:\n  - quantize: {method: rtn, bits: 9, group_size: 48}\n"
        "export: [compressed-tensors]\n");
  for (const std::vector<std::string>& command : {std::vector<std::string>{"validate", "r.yaml"},
                                                  {"run", "r.yaml"},
                                                  {"submit", "r.yaml"},
                                                  {"estimate", "r.yaml"}}) {
    const ProcessResult result = Tersor(command);
    EXPECT_EQ(result.code, 2) << command[0];
    EXPECT_THAT(result.err, AllOf(HasSubstr("r.yaml:2:1: modell: "), HasSubstr("bits: must be 2 to 8, got 9"),
                                  HasSubstr("group size 48 does not divide"), HasSubstr("3 faults in r.yaml")))
        << command[0];
  }
}

TEST_F(CliValidateTest, FilesThatAreNoRecipes) {
  EXPECT_THAT(Faults("model: [unclosed\n"), HasSubstr("not readable as YAML"));
  EXPECT_EQ(Tersor({"validate", "nowhere.yaml"}).code, 2);
  EXPECT_THAT(Tersor({"validate", "nowhere.yaml"}).err, HasSubstr("nowhere.yaml"));
  EXPECT_EQ(Tersor({"validate"}).code, 2);
  EXPECT_EQ(Tersor({"validate", "model/model.safetensors"}).code, 2);
}

TEST_F(CliValidateTest, JsonListsTheFaults) {
  Write("r.yaml", "model: model\nstages:\n  - quantize: {method: rtn, bits: 9}\n");
  ProcessResult result = Tersor({"validate", "r.yaml", "--output", "json"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.out, AllOf(HasSubstr("\"valid\": false"), HasSubstr("\"line\": 3"), HasSubstr("\"column\": 35")));
}

}  // namespace
}  // namespace tersor::testing
