// GGUF files in the real llama.cpp: it loads them and goes on with the golden prompts sensibly.
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "nlohmann/json.hpp"
#include "tests/testing/llama_cpp.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

constexpr char kNoLlamaCpp[] = "llama.cpp is missing: run scripts/fetch_node_llama.sh";

class GgufInLlamaCppTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::HasLlamaCpp()) GTEST_SKIP() << kNoLlamaCpp;
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    work_ = fs::path(::testing::TempDir()) / absl::StrCat("tersor_llama_cpp_", getpid(), "_", info->name());
    fs::create_directories(work_);
  }
  void TearDown() override {
    if (!work_.empty()) fs::remove_all(work_);
  }

  fs::path work_;
};

TEST_F(GgufInLlamaCppTest, TheDemoModelAsShippedContinuesTheGoldenPrompts) {
  const auto model = testing::DemoModelPath();
  const auto shared = testing::SharedPath();
  if (!model.has_value()) GTEST_SKIP() << "the demo model is missing: run scripts/fetch_model.sh";
  if (!shared.has_value()) GTEST_SKIP() << testing::kNoSharedFolder;
  const auto golden = nlohmann::json::parse(ReadFile(*shared / "golden/smollm2-135m/greedy_f32.json").value());
  std::vector<std::string> prompts;
  for (const auto& item : golden["greedy"]) prompts.push_back(item["prompt"]);

  const auto completions = testing::ContinueWithLlamaCpp(*model, prompts, /*max_tokens=*/8, work_);
  ASSERT_TRUE(completions.ok()) << completions.status();
  ASSERT_EQ(completions->size(), prompts.size());
  EXPECT_EQ(completions->at(0).text.rfind(" Paris", 0), 0) << completions->at(0).text;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto expected = golden["greedy"][i]["out_ids"].get<std::vector<int32_t>>();
    const size_t prompt_length = golden["greedy"][i]["prompt_ids"].size();
    EXPECT_EQ(completions->at(i).prompt_ids, std::vector<int32_t>(expected.begin(), expected.begin() + prompt_length));
    // llama.cpp rounds activations to 8 bits, so that later tokens may differ from float32's.
    EXPECT_EQ(completions->at(i).ids.at(0), expected.at(prompt_length)) << completions->at(i).text;
  }
}

TEST_F(GgufInLlamaCppTest, AFileThatIsNoGgufIsAnError) {
  ASSERT_TRUE(WriteFileAtomically(work_ / "no.gguf", "nothing").ok());
  const auto completions = testing::ContinueWithLlamaCpp(work_ / "no.gguf", {"x"}, 1, work_);
  EXPECT_NE(completions.status().message().find("magic"), absl::string_view::npos) << completions.status();
}

}  // namespace
}  // namespace tersor
