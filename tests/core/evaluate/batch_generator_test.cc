#include "core/evaluate/batch_generator.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>

#include "core/model/head.h"
#include "core/model/hidden_states.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/model/synthetic_model.h"
#include "tests/testing/scratch_folder.h"
#include "tests/testing/tiny_model.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

class BatchGeneratorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(testing::WriteTinyModel(folder_.path()).ok());
    auto model = LoadModel(folder_.path());
    ASSERT_TRUE(model.ok()) << model.status();
    model_ = *std::move(model);
    auto tokenizer = Tokenizer::FromJson(model_.assets.tokenizer_json);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    tokenizer_ = *std::move(tokenizer);
    // Preambles that some share, of more than a page of keys; prompts of which one begins the other; one of one token.
    const std::vector<int32_t> preamble = RandomIds(model_.spec, 100, 1);
    for (int i = 0; i < 9; ++i) {
      std::vector<int32_t> prompt;
      if (i % 3 != 0) prompt = preamble;
      const std::vector<int32_t> own = RandomIds(model_.spec, 1 + 9 * i, 20 + i);
      prompt.insert(prompt.end(), own.begin(), own.end());
      prompts_.push_back(prompt);
    }
    prompts_.push_back(preamble);
    prompts_.push_back(prompts_[4]);
  }

  std::vector<GeneratedText> Generate(const BatchGenerateOptions& options) { return Generate(prompts_, options); }
  std::vector<GeneratedText> Generate(const std::vector<std::vector<int32_t>>& prompts,
                                      const BatchGenerateOptions& options) {
    auto texts = GenerateAll(model_, *tokenizer_, prompts, options, {});
    EXPECT_TRUE(texts.ok()) << texts.status();
    return std::move(texts).value_or(std::vector<GeneratedText>(prompts.size()));
  }

  // Reads the whole sequence anew for each id.
  std::vector<int32_t> PlainContinuation(std::vector<int32_t> ids, int count) {
    const auto head = Head::Load(model_, {});
    EXPECT_TRUE(head.ok());
    std::vector<int32_t> continuation;
    for (int i = 0; i < count; ++i) {
      const auto tokens = static_cast<int64_t>(ids.size());
      const auto hidden = HiddenStates(model_, ids, {0, tokens}, {}, nullptr, nullptr);
      EXPECT_TRUE(hidden.ok());
      const int32_t target = 0;
      double log_likelihood = 0;
      int32_t top1 = -1;
      EXPECT_TRUE((*head)
                      ->LogLikelihoods(std::span(*hidden).last(model_.spec.width), {&target, 1}, {&log_likelihood, 1},
                                       {&top1, 1})
                      .ok());
      continuation.push_back(top1);
      ids.push_back(top1);
    }
    return continuation;
  }

  testing::ScratchFolder folder_;
  Model model_;
  std::unique_ptr<const Tokenizer> tokenizer_;
  std::vector<std::vector<int32_t>> prompts_;
};

// Ids outside the vocabulary: nothing ends a continuation but its length.
const std::vector<int64_t> kNoEnd = {-1};

TEST_F(BatchGeneratorTest, EqualsOnePromptReadAnewForEachToken) {
  const auto texts = Generate({.max_tokens = 6, .end_ids = kNoEnd, .batch = 4});
  for (size_t i = 0; i < prompts_.size(); ++i) {
    EXPECT_EQ(texts[i].ids, PlainContinuation(prompts_[i], 6)) << i;
    EXPECT_EQ(texts[i].end, GenerationEnd::kMaxTokens);
    EXPECT_EQ(texts[i].text, tokenizer_->Decode(texts[i].ids, true).value_or("?"));
    EXPECT_EQ(texts[i].dropped, 0);
  }
}

TEST_F(BatchGeneratorTest, NeitherBatchNorOrderNorThreadsNorMemoryChangeAnId) {
  const auto expected = Generate({.max_tokens = 40, .end_ids = kNoEnd});
  std::vector<size_t> shuffled(prompts_.size());
  std::iota(shuffled.begin(), shuffled.end(), 0);
  std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937(5));
  std::vector<std::vector<int32_t>> others;
  for (const size_t i : shuffled) others.push_back(prompts_[i]);
  for (const int threads : {1, 3}) {
    for (const int64_t batch : {1, 3, 64}) {
      for (const int64_t bytes : {1, 1 << 20}) {
        const auto texts = Generate(others, {.compute = {.threads = threads},
                                             .max_tokens = 40,
                                             .end_ids = kNoEnd,
                                             .batch = batch,
                                             .cache_bytes = bytes});
        for (size_t i = 0; i < others.size(); ++i) EXPECT_EQ(texts[i].ids, expected[shuffled[i]].ids);
      }
    }
  }
}

TEST_F(BatchGeneratorTest, EndTokensEnd) {
  const auto whole = Generate({.max_tokens = 12, .end_ids = kNoEnd});
  const int64_t end = whole[2].ids[7];
  const auto texts = Generate({.max_tokens = 12, .end_ids = {end}});
  for (size_t i = 0; i < prompts_.size(); ++i) {
    const auto at = std::find(whole[i].ids.begin(), whole[i].ids.end(), end);
    const bool ends = at != whole[i].ids.end();
    const std::vector<int32_t> expected(whole[i].ids.begin(), ends ? at + 1 : at);
    EXPECT_EQ(texts[i].ids, expected);
    EXPECT_EQ(texts[i].end, ends ? GenerationEnd::kEndToken : GenerationEnd::kMaxTokens);
  }
}

TEST_F(BatchGeneratorTest, StopStringsCutTheTextWhereverTokensEnd) {
  const auto whole = Generate({.max_tokens = 24, .end_ids = kNoEnd});
  // From the middle of each text in turn, over the border of tokens.
  for (size_t i = 0; i < prompts_.size(); ++i) {
    const std::string& text = whole[i].text;
    const size_t middle = text.size() / 2;
    const std::string stop = text.substr(middle, 3);
    const auto texts = Generate({.max_tokens = 24, .end_ids = kNoEnd, .stops = {"never there", stop}});
    EXPECT_EQ(texts[i].text, text.substr(0, text.find(stop)));
    EXPECT_EQ(texts[i].end, GenerationEnd::kStopString);
    EXPECT_LE(texts[i].ids.size(), whole[i].ids.size());
  }
}

TEST_F(BatchGeneratorTest, LongPromptsLoseTheirLeft) {
  model_.spec.context_length = 64;
  const std::vector<int32_t> prompt = RandomIds(model_.spec, 70, 3);
  const std::vector<int32_t> cut(prompt.end() - 54, prompt.end());
  const auto texts = Generate({prompt, cut}, {.max_tokens = 10, .end_ids = kNoEnd});
  EXPECT_EQ(texts[0].dropped, 16);
  EXPECT_EQ(texts[1].dropped, 0);
  EXPECT_EQ(texts[0].ids, texts[1].ids);
}

TEST_F(BatchGeneratorTest, TextsAreHandedOnOnce) {
  std::vector<int> told(prompts_.size());
  BatchGenerateOptions options{.max_tokens = 5, .end_ids = kNoEnd, .batch = 3};
  options.on_text = [&](int64_t index, const GeneratedText& text) {
    ++told[index];
    EXPECT_EQ(text.ids.size(), 5);
    return absl::OkStatus();
  };
  Generate(options);
  EXPECT_THAT(told, ::testing::Each(1));
  options.on_text = [](int64_t, const GeneratedText&) { return absl::ResourceExhaustedError("disk full"); };
  EXPECT_EQ(GenerateAll(model_, *tokenizer_, prompts_, options, {}).status().message(), "disk full");
}

TEST_F(BatchGeneratorTest, CancellationEndsIt) {
  CancellationToken token;
  BatchGenerateOptions options{.max_tokens = 5, .end_ids = kNoEnd, .batch = 2};
  options.on_text = [&](int64_t, const GeneratedText&) {
    token.Cancel();
    return absl::OkStatus();
  };
  const auto texts = GenerateAll(model_, *tokenizer_, prompts_, options, {.cancellation = &token});
  EXPECT_EQ(texts.status().code(), absl::StatusCode::kCancelled);
}

TEST_F(BatchGeneratorTest, BadOptionsAreRefused) {
  const auto error = [&](const BatchGenerateOptions& options) {
    return std::string(GenerateAll(model_, *tokenizer_, prompts_, options, {}).status().message());
  };
  EXPECT_THAT(error({.max_tokens = 0}), HasSubstr("must be positive"));
  EXPECT_THAT(error({.batch = 0}), HasSubstr("must be positive"));
  EXPECT_THAT(error({.max_tokens = 1 << 20}), HasSubstr("leaves no room for a prompt"));
  EXPECT_THAT(error({.stops = {""}}), HasSubstr("stop string is empty"));
  prompts_.push_back({});
  EXPECT_THAT(error({}), HasSubstr("prompt 11 has no tokens"));
  prompts_.clear();
  EXPECT_TRUE(Generate({}).empty());
}

}  // namespace
}  // namespace tersor
