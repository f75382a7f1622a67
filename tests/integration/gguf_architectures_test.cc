// GGUF files of every architecture in the real llama.cpp: it goes on as Tersor does.
#include <gtest/gtest.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/exports/export_registry.h"
#include "core/model/generate.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/testing/llama_cpp.h"
#include "tests/testing/tiny_architecture.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using testing::TinyArchitecture;

struct Case {
  const char* name;
  TinyArchitecture architecture;
  bool tied;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class GgufArchitecturesTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    if (!testing::HasLlamaCpp()) GTEST_SKIP() << "llama.cpp is missing: run scripts/fetch_node_llama.sh";
    work_ = fs::path(::testing::TempDir()) / absl::StrCat("tersor_gguf_arch_", getpid(), "_", GetParam().name);
    fs::create_directories(work_);
  }
  void TearDown() override {
    if (!work_.empty()) fs::remove_all(work_);
  }

  fs::path work_;
};

TEST_P(GgufArchitecturesTest, LlamaCppContinuesAsTersorDoes) {
  constexpr int kTokens = 6;
  // One short, one longer than Mistral's window and than what Llama 3's model was trained for; the file's context is
  // the window, so llama.cpp gets no more than that for Mistral.
  std::vector<std::string> prompts = {"The rain and the sun"};
  if (GetParam().architecture != TinyArchitecture::kMistral) {
    prompts.emplace_back(
        "In the beginning there was the word, and then another one came along and sat down at the table.");
  }
  const auto folder =
      testing::WriteTinyModelOf(GetParam().architecture, work_ / "model", {.tied = GetParam().tied, .seed = 5});
  ASSERT_TRUE(folder.ok()) << folder.status();
  const absl::StatusOr<Model> model = LoadModel(*folder);
  ASSERT_TRUE(model.ok()) << model.status();
  const absl::StatusOr<v1::ArtifactInfo> info = WriteExport("gguf:f16", *model, {}, work_);
  ASSERT_TRUE(info.ok()) << info.status();
  // Of the file itself, so that both compute with the same weights.
  const absl::StatusOr<Model> written = LoadModel(work_ / info->path());
  ASSERT_TRUE(written.ok()) << written.status();
  const auto generator = Generator::Create(*written, {.threads = 1});
  ASSERT_TRUE(generator.ok()) << generator.status();
  const auto tokenizer = Tokenizer::FromJson(model->assets.tokenizer_json);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();

  const auto completions = testing::ContinueWithLlamaCpp(work_ / info->path(), prompts, kTokens, work_);
  ASSERT_TRUE(completions.ok()) << completions.status();
  ASSERT_EQ(completions->size(), prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto ids = (*tokenizer)->Encode(prompts[i]);
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_EQ(completions->at(i).prompt_ids, *ids);
    // llama.cpp ends at either.
    const GenerateOptions options = {.max_tokens = kTokens, .stop_ids = {testing::kTinyBosId, testing::kTinyEosId}};
    const auto expected = (*generator)->Generate(*ids, options, nullptr);
    ASSERT_TRUE(expected.ok()) << expected.status();
    EXPECT_EQ(completions->at(i).ids, *expected) << prompts[i];
  }
}

INSTANTIATE_TEST_SUITE_P(All, GgufArchitecturesTest,
                         ::testing::Values(Case{"llama", TinyArchitecture::kLlama, true},
                                           Case{"llama3", TinyArchitecture::kLlama3, false},
                                           Case{"mistral", TinyArchitecture::kMistral, false},
                                           Case{"qwen2", TinyArchitecture::kQwen2, true},
                                           Case{"qwen3", TinyArchitecture::kQwen3, false}));

}  // namespace
}  // namespace tersor
