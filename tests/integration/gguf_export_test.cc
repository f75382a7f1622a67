// Exported GGUF files of the demo model in the real llama.cpp: it continues the golden prompts sensibly.
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/exports/export_registry.h"
#include "core/model/model.h"
#include "nlohmann/json.hpp"
#include "tests/core/exports/quantized_model.h"
#include "tests/testing/llama_cpp.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

struct Case {
  const char* format;
  // 0: as the model is.
  int bits;
  bool symmetric;
  // Golden prompts of which the first token must be the float model's.
  int same_first_tokens;
};

void PrintTo(const Case& c, std::ostream* out) { *out << std::string(c.format).substr(5); }

class GgufExportInLlamaCppTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!testing::HasLlamaCpp()) GTEST_SKIP() << "llama.cpp is missing: run scripts/fetch_node_llama.sh";
    if (!testing::DemoModelPath().has_value()) GTEST_SKIP() << "the demo model is missing: run scripts/fetch_model.sh";
    if (!testing::SharedPath().has_value()) {
      GTEST_SKIP() << testing::kNoSharedFolder;
    }
    work_ = fs::path(::testing::TempDir()) / absl::StrCat("tersor_gguf_export_", getpid());
    fs::create_directories(work_);
  }
  void TearDown() override {
    if (!work_.empty()) fs::remove_all(work_);
  }

  fs::path work_;
};

TEST_P(GgufExportInLlamaCppTest, ContinuesTheGoldenPrompts) {
  absl::StatusOr<Model> model = LoadModel(*testing::DemoModelPath());
  ASSERT_TRUE(model.ok()) << model.status();
  if (GetParam().bits > 0) QuantizeBlocks(*model, GetParam().bits, 32, GetParam().symmetric);
  const absl::StatusOr<v1::ArtifactInfo> info = WriteExport(GetParam().format, *model, {}, work_);
  ASSERT_TRUE(info.ok()) << info.status();

  const fs::path golden_path = *testing::SharedPath() / "golden/smollm2-135m/greedy_f32.json";
  const nlohmann::json golden = nlohmann::json::parse(ReadFile(golden_path).value());
  std::vector<std::string> prompts;
  for (const auto& item : golden["greedy"]) prompts.push_back(item["prompt"]);
  const auto completions = testing::ContinueWithLlamaCpp(work_ / info->path(), prompts, /*max_tokens=*/8, work_);
  ASSERT_TRUE(completions.ok()) << completions.status();
  ASSERT_EQ(completions->size(), prompts.size());
  EXPECT_EQ(completions->at(0).text.rfind(" Paris", 0), 0) << completions->at(0).text;
  int same = 0;
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto expected = golden["greedy"][i]["out_ids"].get<std::vector<int32_t>>();
    const size_t prompt_length = golden["greedy"][i]["prompt_ids"].size();
    EXPECT_EQ(completions->at(i).prompt_ids, std::vector<int32_t>(expected.begin(), expected.begin() + prompt_length));
    same += completions->at(i).ids.at(0) == expected.at(prompt_length);
  }
  EXPECT_GE(same, GetParam().same_first_tokens);
}

// The demo model lies on a grid of 4 bits with offsets in groups of 32: that one and the uncompressed ones lose next to
// nothing; round to nearest without offsets does.
INSTANTIATE_TEST_SUITE_P(Formats, GgufExportInLlamaCppTest,
                         ::testing::Values(Case{"gguf:f16", 0, true, 3}, Case{"gguf:q8_0", 0, true, 3},
                                           Case{"gguf:q4_1", 4, false, 3}, Case{"gguf:q4_0", 4, true, 2}));

}  // namespace
}  // namespace tersor
