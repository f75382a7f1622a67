// GGUF files of every architecture in the real llama.cpp: it goes on as Tersor does.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/evaluate/perplexity.h"
#include "core/evaluate/protocol.h"
#include "core/evaluate/scored_windows.h"
#include "core/exports/export_registry.h"
#include "core/model/generate.h"
#include "core/model/model.h"
#include "core/tokenizer/tokenizer.h"
#include "tests/core/model/architecture_models.h"
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

// That llama.cpp makes the same tokens of each prompt as `written`'s tokenizer, and goes on as `written` does, which is
// the file itself, so that both compute with the same weights. `ends`: where llama.cpp ends.
void ExpectContinuesAlike(const Model& written, const fs::path& gguf, const std::vector<std::string>& prompts,
                          const std::vector<int64_t>& ends, int context, const fs::path& work) {
  constexpr int kTokens = 6;
  const auto generator = Generator::Create(written, {.threads = 1});
  ASSERT_TRUE(generator.ok()) << generator.status();
  const auto tokenizer = Tokenizer::FromJson(written.assets.tokenizer_json);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const auto completions = testing::ContinueWithLlamaCpp(gguf, prompts, kTokens, work, context);
  ASSERT_TRUE(completions.ok()) << completions.status();
  ASSERT_EQ(completions->size(), prompts.size());
  for (size_t i = 0; i < prompts.size(); ++i) {
    const auto ids = (*tokenizer)->Encode(prompts[i]);
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_EQ(completions->at(i).prompt_ids, *ids) << prompts[i];
    const auto expected = (*generator)->Generate(*ids, {.max_tokens = kTokens, .stop_ids = ends}, nullptr);
    ASSERT_TRUE(expected.ok()) << expected.status();
    EXPECT_EQ(completions->at(i).ids, *expected) << prompts[i];
  }
}

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
  const absl::StatusOr<Model> written = LoadModel(work_ / info->path());
  ASSERT_TRUE(written.ok()) << written.status();
  const auto tokenizer = Tokenizer::FromJson(model->assets.tokenizer_json);
  const auto read = Tokenizer::FromJson(written->assets.tokenizer_json);
  ASSERT_TRUE(tokenizer.ok() && read.ok()) << tokenizer.status() << read.status();
  for (const std::string& prompt : prompts) EXPECT_EQ(*(*read)->Encode(prompt), *(*tokenizer)->Encode(prompt));
  const std::vector<int64_t> ends = {testing::kTinyBosId, testing::kTinyEosId};
  ExpectContinuesAlike(*written, work_ / info->path(), prompts, ends, /*context=*/1024, work_);
}

INSTANTIATE_TEST_SUITE_P(All, GgufArchitecturesTest,
                         ::testing::Values(Case{"llama", TinyArchitecture::kLlama, true},
                                           Case{"llama3", TinyArchitecture::kLlama3, false},
                                           Case{"mistral", TinyArchitecture::kMistral, false},
                                           Case{"qwen2", TinyArchitecture::kQwen2, true},
                                           Case{"qwen3", TinyArchitecture::kQwen3, false}));

// The architectures that are arranged otherwise than Llama, by their perplexity, too.
struct PerplexityCase {
  const char* name;
  const char* model;
  int window = 96;
  // Of llama.cpp.
  int context = 256;
};

void PrintTo(const PerplexityCase& c, std::ostream* out) { *out << c.name; }

class GgufPerplexityTest : public ::testing::TestWithParam<PerplexityCase> {
 protected:
  void SetUp() override {
    if (!testing::HasLlamaCpp()) GTEST_SKIP() << "llama.cpp is missing: run scripts/fetch_node_llama.sh";
    work_ = fs::path(::testing::TempDir()) / absl::StrCat("tersor_gguf_perplexity_", getpid(), "_", GetParam().name);
    fs::create_directories(work_);
    model_ = ArchitectureModel(GetParam().model, 5);
    const absl::StatusOr<v1::ArtifactInfo> info = WriteExport("gguf:f16", model_, {}, work_);
    ASSERT_TRUE(info.ok()) << info.status();
    gguf_ = work_ / info->path();
    absl::StatusOr<Model> written = LoadModel(gguf_);
    ASSERT_TRUE(written.ok()) << written.status();
    written_ = *std::move(written);
  }
  void TearDown() override {
    if (!work_.empty()) fs::remove_all(work_);
  }

  fs::path work_;
  fs::path gguf_;
  Model model_;
  Model written_;
};

TEST_P(GgufPerplexityTest, EncodesAndContinuesAsTersorDoes) {
  const auto tokenizer = Tokenizer::FromJson(model_.assets.tokenizer_json);
  const auto read = Tokenizer::FromJson(written_.assets.tokenizer_json);
  ASSERT_TRUE(tokenizer.ok() && read.ok()) << tokenizer.status() << read.status();
  const std::string text = ReadFile(fs::path(TERSOR_LICENCE)).value();
  // With special tokens among the text: spaces after Phi-3's </s> belong to it.
  const bool pieces = model_.assets.add_bos;
  // With what is generated, below GPT-2's 256 positions.
  std::vector<std::string> prompts = {"The rain and the sun", text.substr(0, 240),
                                      pieces ? "<s> one </s>  two <unk> three" : "<|im_start|> one <|endoftext|>  two"};
  // Tersor takes the long factors for a long text alone.
  if (GetParam().context > 256) prompts = {text.substr(0, 1200)};
  for (const std::string& prompt : prompts) EXPECT_EQ(*(*read)->Encode(prompt), *(*tokenizer)->Encode(prompt));
  // Special tokens of these texts end a text in llama.cpp.
  std::vector<int64_t> ends;
  for (const char* end : {"<|endoftext|>", "<|im_end|>", "</s>"}) {
    if (const int64_t id = (*read)->TokenToId(end); id >= 0) ends.push_back(id);
  }
  ExpectContinuesAlike(written_, gguf_, prompts, ends, GetParam().context, work_);
}

// The tokens that llama.cpp reads for a window, with the place of the first one that is scored.
testing::LlamaCppSequence SequenceOf(const ScoredWindows& windows, const ScoredWindow& window) {
  testing::LlamaCppSequence sequence;
  if (window.prefix >= 0) sequence.ids.push_back(window.prefix);
  sequence.from = sequence.ids.size() + static_cast<size_t>(window.score_begin - window.begin);
  sequence.ids.insert(sequence.ids.end(), windows.stream.begin() + window.begin,
                      windows.stream.begin() + window.score_end);
  return sequence;
}

TEST_P(GgufPerplexityTest, IsLlamaCppsInItsOwnConvention) {
  const auto tokenizer = Tokenizer::FromJson(written_.assets.tokenizer_json);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const std::string text = ReadFile(fs::path(TERSOR_LICENCE)).value().substr(0, size_t{16} * GetParam().window);

  v1::PerplexityEvaluation evaluation;
  evaluation.set_dataset("licence");
  evaluation.set_convention("llama.cpp");
  evaluation.set_window(GetParam().window);
  evaluation.set_max_windows(3);
  const absl::StatusOr<Protocol> protocol =
      ResolveProtocol(evaluation, *DescribeForProtocol(written_, tokenizer->get()), (*tokenizer)->sha256(), text);
  ASSERT_TRUE(protocol.ok()) << protocol.status();
  EXPECT_EQ(protocol->bos_id >= 0, model_.assets.add_bos);
  const absl::StatusOr<ScoredWindows> windows = CutWindows(*protocol, **tokenizer, text);
  ASSERT_TRUE(windows.ok()) << windows.status();
  const absl::StatusOr<ScoringModel> scoring = PrepareScoring(written_, {.threads = 1});
  ASSERT_TRUE(scoring.ok()) << scoring.status();
  const auto ours = MeasurePerplexity("written", *scoring, *protocol, *windows, {});
  ASSERT_TRUE(ours.ok()) << ours.status();

  std::vector<testing::LlamaCppSequence> sequences;
  for (const ScoredWindow& window : windows->windows) sequences.push_back(SequenceOf(*windows, window));
  const auto scores = testing::ScoreWithLlamaCpp(gguf_, sequences, work_, GetParam().context);
  ASSERT_TRUE(scores.ok()) << scores.status();
  double sum = 0;
  int64_t count = 0;
  for (const std::vector<double>& window : *scores) {
    for (const double nll : window) sum += nll, ++count;
  }
  ASSERT_EQ(count, windows->scored());
  const double theirs = std::exp(sum / static_cast<double>(count));
  ::testing::Test::RecordProperty("relative_difference", std::to_string(ours->value() / theirs - 1));
  std::cout << GetParam().name << ": Tersor " << ours->value() << ", llama.cpp " << theirs << "\n";
  EXPECT_NEAR(ours->value() / theirs, 1, 0.005);
}

// Phi-3's short factors up to its first 256 positions, the long ones beyond.
INSTANTIATE_TEST_SUITE_P(All, GgufPerplexityTest,
                         ::testing::Values(PerplexityCase{"gpt2", "gpt2"}, PerplexityCase{"gpt_neox", "gpt_neox"},
                                           PerplexityCase{"gpt_neox_serial", "gpt_neox_serial"},
                                           PerplexityCase{"phi3", "phi3"},
                                           PerplexityCase{"phi3_longrope_short", "phi3_longrope"},
                                           PerplexityCase{"phi3_longrope_long", "phi3_longrope", 320, 512},
                                           PerplexityCase{"gemma2", "gemma2"}, PerplexityCase{"gemma3", "gemma3"},
                                           PerplexityCase{"gemma3_period", "gemma3_period"}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tersor
