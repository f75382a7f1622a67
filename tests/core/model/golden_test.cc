// Logits and greedy continuations as transformers computed them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/model/block.h"
#include "core/model/generate.h"
#include "core/model/head.h"
#include "core/model/hidden_states.h"
#include "core/model/kv_cache.h"
#include "tests/core/model/demo_golden.h"

namespace tersor {
namespace {

using nlohmann::json;

ComputeOptions TwoThreads() {
  ComputeOptions options;
  options.threads = 2;
  return options;
}

class TinyGoldenTest : public ::testing::TestWithParam<const char*> {};

TEST_P(TinyGoldenTest, LogitsAreThoseOfTransformers) {
  const auto shared = testing::SharedPath();
  if (!shared) GTEST_SKIP() << testing::kNoSharedFolder;
  const std::filesystem::path folder = *shared / "golden" / "tiny" / GetParam();
  const auto model = LoadModel(folder);
  ASSERT_TRUE(model.ok()) << model.status();
  const json golden = ReadJsonFile(folder / "golden.json");
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets = {0};
  std::vector<float> expected;
  for (const json& sequence : golden["input_ids"]) {
    for (const json& id : sequence) ids.push_back(id.get<int32_t>());
    offsets.push_back(static_cast<int64_t>(ids.size()));
  }
  for (const json& sequence : golden["logits"]) {
    for (const json& row : sequence) {
      for (const json& logit : row) expected.push_back(logit.get<float>());
    }
  }
  const auto hidden = HiddenStates(*model, ids, offsets, TwoThreads(), nullptr, nullptr);
  ASSERT_TRUE(hidden.ok()) << hidden.status();
  const auto head = Head::Load(*model, TwoThreads());
  ASSERT_TRUE(head.ok()) << head.status();
  std::vector<float> logits(ids.size() * model->spec.vocabulary);
  ASSERT_EQ(logits.size(), expected.size());
  ASSERT_TRUE((*head)->Logits(*hidden, static_cast<int64_t>(ids.size()), logits).ok());
  float largest = 0, difference = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    largest = std::max(largest, std::fabs(expected[i]));
    difference = std::max(difference, std::fabs(logits[i] - expected[i]));
  }
  EXPECT_LT(difference, 1e-4f * largest);
}

// Every way through the blocks: segment by segment as compression goes, and token by token as generation does.
TEST_P(TinyGoldenTest, SegmentsAndStepsAgreeWithForward) {
  const auto shared = testing::SharedPath();
  if (!shared) GTEST_SKIP() << testing::kNoSharedFolder;
  const auto model = LoadModel(*shared / "golden" / "tiny" / GetParam());
  ASSERT_TRUE(model.ok()) << model.status();
  const int64_t width = model->spec.width, tokens = 21;
  std::vector<int32_t> ids(tokens);
  for (int64_t i = 0; i < tokens; ++i) ids[i] = static_cast<int32_t>((i * 37 + 5) % model->spec.vocabulary);
  std::vector<float> forward(tokens * width);
  ASSERT_TRUE(Embed(*model, ids, forward).ok());
  std::vector<float> segmented = forward, stepped = forward;
  PackedBatch batch;
  batch.offsets = {0, 9, tokens};
  const AttentionSpec& attention = model->spec.layers[0].attention;
  KvCache cache({static_cast<int>(model->spec.layers.size()), attention.kv_heads, attention.head_size});
  cache.AddSlot();
  cache.AddSlot();
  std::vector<std::unique_ptr<Block>> blocks;
  for (int b = 0; b < static_cast<int>(model->spec.layers.size()); ++b) {
    auto block = Block::Load(*model, b, TwoThreads());
    ASSERT_TRUE(block.ok()) << block.status();
    ASSERT_TRUE((*block)->Forward(batch, forward).ok());
    const std::vector<Segment>& segments = (*block)->segments();
    std::vector<float> input(tokens * segments[0].input_width);
    ASSERT_TRUE((*block)->Enter(batch, segmented, input).ok());
    for (int s = 0; s < static_cast<int>(segments.size()); ++s) {
      const bool last = s + 1 == static_cast<int>(segments.size());
      std::vector<float> next(last ? 0 : tokens * segments[s + 1].input_width);
      ASSERT_TRUE((*block)->RunSegment(s, batch, input, segmented, next).ok());
      input = std::move(next);
    }
    blocks.push_back(*std::move(block));
  }
  EXPECT_EQ(segmented, forward);
  // Both sequences step by step, side by side as long as the first one lasts.
  for (int64_t i = 0; i < tokens - 9; ++i) {
    const std::vector<int64_t> slots = i < 9 ? std::vector<int64_t>{1, 0} : std::vector<int64_t>{1};
    std::vector<float> rows(slots.size() * width);
    for (size_t r = 0; r < slots.size(); ++r) {
      std::copy_n(stepped.data() + (slots[r] * 9 + i) * width, width, rows.data() + r * width);
    }
    for (const auto& block : blocks) ASSERT_TRUE(block->Step(cache, slots, rows).ok());
    for (size_t r = 0; r < slots.size(); ++r) {
      cache.Commit(slots[r], 1);
      std::copy_n(rows.data() + r * width, width, stepped.data() + (slots[r] * 9 + i) * width);
    }
  }
  for (int64_t i = 0; i < tokens * width; ++i)
    EXPECT_NEAR(stepped[i], forward[i], 2e-4 * (1 + std::fabs(forward[i]))) << i;
}

INSTANTIATE_TEST_SUITE_P(Models, TinyGoldenTest,
                         ::testing::Values("llama_tied", "llama_bias", "llama3_rope_scaling", "llama3_rope_scaling_v4",
                                           "mistral_sliding", "qwen2", "qwen3", "gpt2", "opt", "gpt_neox", "phi3",
                                           "gemma2", "gemma3"),
                         [](const auto& info) { return std::string(info.param); });

class GreedyGoldenTest : public DemoGoldenTest {
 protected:
  // The continuation of `prompt` must be the rest of `whole`.
  void ExpectContinuation(Generator& generator, const std::vector<int32_t>& prompt, const std::vector<int32_t>& whole) {
    ASSERT_GT(whole.size(), prompt.size());
    ASSERT_TRUE(std::equal(prompt.begin(), prompt.end(), whole.begin()));
    GenerateOptions options;
    options.max_tokens = static_cast<int>(whole.size() - prompt.size());
    options.stop_ids = {tokenizer_->TokenToId("<|im_end|>")};
    const auto ids = generator.Generate(prompt, options, nullptr);
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_THAT(*ids, ::testing::ElementsAreArray(whole.begin() + prompt.size(), whole.end()));
  }
};

TEST_F(GreedyGoldenTest, TopLogits) {
  auto generator = Generator::Create(RoundedToHalf(model_), TwoThreads());
  ASSERT_TRUE(generator.ok()) << generator.status();
  const json golden = ReadJsonFile(golden_ / "greedy_f32.json");
  for (const json& item : golden["greedy"]) {
    const auto logits = (*generator)->LastLogits(item["prompt_ids"].get<std::vector<int32_t>>());
    ASSERT_TRUE(logits.ok()) << logits.status();
    for (const json& top : item["last_top10"]) {
      EXPECT_NEAR((*logits)[top[0].get<int32_t>()], top[1].get<float>(), 1e-4) << item["prompt"];
    }
  }
}

TEST_F(GreedyGoldenTest, Continuations) {
  auto generator = Generator::Create(model_, TwoThreads());
  ASSERT_TRUE(generator.ok()) << generator.status();
  const json golden = ReadJsonFile(golden_ / "greedy_f32.json");
  for (const json& item : golden["greedy"]) {
    ExpectContinuation(**generator, item["prompt_ids"].get<std::vector<int32_t>>(),
                       item["out_ids"].get<std::vector<int32_t>>());
  }
  ExpectContinuation(**generator, Encode(golden["chat"]["prompt"].get<std::string>()),
                     golden["chat"]["out_ids"].get<std::vector<int32_t>>());
}

}  // namespace
}  // namespace tersor
