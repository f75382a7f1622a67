// tokenize, generate, models inspect, init, methods, doctor.
#include <numeric>

#include "nlohmann/json.hpp"
#include "tests/integration/cli/tersor_process.h"
#include "tests/testing/paths.h"
#include "tests/testing/tiny_model.h"

namespace tersor::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class CliTextTest : public CliTest {};

TEST_F(CliTextTest, TokenizeIsByteForByte) {
  ProcessResult result = Tersor({"tokenize", "--model", "model", "--output", "json"}, "Hello<|im_end|>\n");
  ASSERT_EQ(result.code, 0) << result.err;
  std::vector<int> ids = Json::parse(result.out).at("ids");
  ASSERT_GE(ids.size(), 3u);
  EXPECT_EQ(ids[ids.size() - 2], kTinyEosId);
  result = Tersor({"tokenize", "--model", "model"}, "Hello<|im_end|>\n");
  std::string expected;
  for (int id : ids) expected += (expected.empty() ? "" : " ") + std::to_string(id);
  EXPECT_EQ(result.out, expected + "\n");
}

TEST_F(CliTextTest, TokenizeRefusesWhatIsNoText) {
  ProcessResult result = Tersor({"tokenize", "--model", "model"}, "ab\xFF");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("2"));
  EXPECT_EQ(Tersor({"tokenize", "--model", "nowhere"}, "x").code, 2);
  EXPECT_EQ(Tersor({"tokenize"}, "x").code, 2);
}

TEST_F(CliTextTest, GenerateIsGreedyAndTheSameInEveryForm) {
  ProcessResult json = Tersor({"generate", "--model", "model", "--max-tokens", "12", "--output", "json"}, "Hello");
  ASSERT_EQ(json.code, 0) << json.err;
  Json answer = Json::parse(json.out);
  std::vector<int> ids = answer.at("ids"), prompt = answer.at("prompt_ids");
  EXPECT_LE(ids.size(), 12u);
  EXPECT_GE(ids.size(), 1u);
  auto joined = [](const std::vector<int>& list, const char* separator) {
    return std::accumulate(list.begin(), list.end(), std::string(), [&](const std::string& text, int id) {
      return text + (text.empty() ? "" : separator) + std::to_string(id);
    });
  };
  EXPECT_EQ(Tersor({"generate", "--model", "model", "--max-tokens", "12", "--ids"}, "Hello").out,
            joined(ids, " ") + "\n");
  EXPECT_EQ(Tersor({"generate", "--model", "model", "--max-tokens", "12", "--ids", "--threads", "1", "--prompt-ids",
                    joined(prompt, ",")})
                .out,
            joined(ids, " ") + "\n");
  EXPECT_EQ(
      Tersor({"generate", "--model", "model", "--max-tokens", "12", "--ids", "--prompt-ids"}, joined(prompt, " ")).out,
      joined(ids, " ") + "\n");
  EXPECT_EQ(Tersor({"generate", "--model", "model", "--max-tokens", "12"}, "Hello").out,
            answer.at("text").get<std::string>() + "\n");
}

TEST_F(CliTextTest, GenerateTakesBosAndTemperature) {
  ProcessResult plain = Tersor({"generate", "--model", "model", "--max-tokens", "3", "--output", "json"}, "Hi");
  ProcessResult with_bos =
      Tersor({"generate", "--model", "model", "--max-tokens", "3", "--output", "json", "--bos"}, "Hi");
  std::vector<int> prompt = Json::parse(plain.out).at("prompt_ids");
  prompt.insert(prompt.begin(), kTinyBosId);
  EXPECT_EQ(Json::parse(with_bos.out).at("prompt_ids").get<std::vector<int>>(), prompt);
  std::vector<std::string> sampled;
  for (const char* seed : {"1", "1", "2"}) {
    sampled.push_back(
        Tersor({"generate", "--model", "model", "--max-tokens", "20", "--ids", "--temperature", "2", "--seed", seed},
               "Hi")
            .out);
  }
  EXPECT_EQ(sampled[0], sampled[1]);
  EXPECT_NE(sampled[0], sampled[2]);
}

TEST_F(CliTextTest, GenerateRefusesBadPrompts) {
  EXPECT_THAT(Tersor({"generate", "--model", "model"}, "").err, HasSubstr("the prompt is empty"));
  EXPECT_EQ(Tersor({"generate", "--model", "model"}, "").code, 2);
  EXPECT_THAT(Tersor({"generate", "--model", "model", "--prompt-ids", "1,x"}).err, HasSubstr("\"x\" is no token id"));
  EXPECT_THAT(Tersor({"generate", "--model", "model", "--prompt-ids", "1,9999"}).err,
              HasSubstr("token id 9999 is outside the vocabulary, 0 to 271"));
  EXPECT_EQ(Tersor({"generate", "--model", "model", "--max-tokens", "0"}, "Hi").code, 2);
}

TEST_F(CliTextTest, InspectTellsWhatIsInside) {
  ProcessResult result = Tersor({"models", "inspect", "model"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("architecture  llama"));
  EXPECT_THAT(result.out, HasSubstr("group sizes   8, 16, 32, 64, -1 divide the input widths 64, 128"));
  EXPECT_THAT(result.out, HasSubstr("dense F32"));
  EXPECT_THAT(result.out, HasSubstr("quantize:gptq"));
  Json json = Json::parse(Tersor({"models", "inspect", "model", "--output", "json", "--tensors"}).out);
  EXPECT_EQ(json.at("layers"), 2);
  EXPECT_EQ(json.at("tied"), true);
  EXPECT_GT(json.at("tensors").size(), 10u);
}

TEST_F(CliTextTest, InspectSaysWhyNot) {
  Write("model/config.json", R"({"model_type": "unheard_of", "architectures": ["UnheardOfForCausalLM"]})");
  ProcessResult result = Tersor({"models", "inspect", "model"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("not supported: "));
  EXPECT_EQ(Tersor({"models", "inspect", "nowhere"}).code, 2);
}

// Formats and groups that one architecture can have and another cannot.
TEST_F(CliTextTest, InitFitsEveryArchitecture) {
  const std::optional<std::filesystem::path> shared = SharedPath();
  if (!shared.has_value()) GTEST_SKIP() << testing::kNoSharedFolder;
  for (const char* name :
       {"gpt2", "opt", "gpt_neox", "phi3", "gemma2", "gemma3", "qwen2", "qwen3", "mistral_sliding"}) {
    std::filesystem::copy(*shared / "golden/tiny" / name, folder_ / name);
    std::filesystem::copy(folder_ / "model/tokenizer.json", folder_ / name);
    for (const char* preset : {"small", "balanced", "safe"}) {
      ASSERT_EQ(Tersor({"init", name, "--preset", preset, "--force"}).code, 0);
      const ProcessResult validated = Tersor({"validate", "recipe.yaml"});
      EXPECT_EQ(validated.code, 0) << name << " " << preset << "\n" << validated.err << Read("recipe.yaml");
    }
  }
}

TEST_F(CliTextTest, InspectPromisesOnlyWhatFits) {
  const std::optional<std::filesystem::path> shared = SharedPath();
  if (!shared.has_value()) GTEST_SKIP() << testing::kNoSharedFolder;
  const ProcessResult result = Tersor({"models", "inspect", *shared / "golden/tiny/gpt2"});
  EXPECT_THAT(result.out, HasSubstr("exports       safetensors, safetensors:f16"));
  EXPECT_THAT(result.out, Not(HasSubstr("gguf")));
  EXPECT_THAT(result.out, HasSubstr("needs a tokenizer.json"));
  EXPECT_THAT(Tersor({"models", "inspect", "model"}).out, HasSubstr("gguf:q4_1"));
}

TEST_F(CliTextTest, InitWritesARecipeThatValidates) {
  for (const char* preset : {"small", "balanced", "safe"}) {
    ProcessResult result = Tersor({"init", "model", "--preset", preset, "--force"});
    ASSERT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(result.out, "recipe.yaml\n");
    EXPECT_THAT(Read("recipe.yaml"), HasSubstr("must divide the layers' input widths (64, 128)"));
    ProcessResult validated = Tersor({"validate", "recipe.yaml"});
    EXPECT_EQ(validated.code, 0) << preset << "\n" << validated.err << Read("recipe.yaml");
  }
  ProcessResult again = Tersor({"init", "model"});
  EXPECT_EQ(again.code, 2);
  EXPECT_THAT(again.err, HasSubstr("recipe.yaml is there already"));
  EXPECT_THAT(Tersor({"init", "model", "-"}).out, HasSubstr("model: model\n"));
  EXPECT_EQ(Tersor({"init", "nowhere"}).code, 2);
}

TEST_F(CliTextTest, MethodsAreThisProgramsOwn) {
  ProcessResult result = Tersor({"methods"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("quantize: gptq: "));
  EXPECT_THAT(result.out, HasSubstr("group_size"));
  EXPECT_THAT(Tersor({"methods", "gptq", "--output", "json"}).out, HasSubstr("\"reference\": \"arXiv 2210.17323\""));
}

TEST_F(CliTextTest, DoctorLooksAround) {
  ProcessResult result = Tersor({"doctor", "--server", "127.0.0.1:1"});
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  for (const char* word : {"cpu", "kernels", "oneDNN", "dispatches to", "memory", "foxes", "none at 127.0.0.1:1"}) {
    EXPECT_THAT(result.out, HasSubstr(word));
  }
}

TEST_F(CliTextTest, NoServerIsFour) {
  ProcessResult result = Tersor({"list", "--server", "127.0.0.1:1"});
  EXPECT_EQ(result.code, 4);
  EXPECT_THAT(result.err, HasSubstr("127.0.0.1:1"));
  EXPECT_THAT(result.err, HasSubstr("is tersord running there?"));
}

TEST_F(CliTextTest, UsageErrorsAreTwo) {
  EXPECT_EQ(Tersor({}).code, 2);
  EXPECT_EQ(Tersor({"compress"}).code, 2);
  EXPECT_EQ(Tersor({"run", "--threads", "x"}).code, 2);
  EXPECT_EQ(Tersor({"--help"}).code, 0);
  EXPECT_THAT(Tersor({"--version"}).out, HasSubstr("tersor "));
}

}  // namespace
}  // namespace tersor::testing
