#include "core/model/generate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/model/head.h"
#include "core/model/hidden_states.h"
#include "core/model/sampler.h"
#include "tests/core/model/synthetic_model.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

class GenerateTest : public testing::Test {
 protected:
  std::unique_ptr<Generator> Load(int threads) {
    ComputeOptions options;
    options.threads = threads;
    auto generator = Generator::Create(model_, options);
    EXPECT_TRUE(generator.ok()) << generator.status();
    return *std::move(generator);
  }

  // Logits of the last position, without any cache.
  std::vector<float> ScoredLogits(const std::vector<int32_t>& ids) {
    const int64_t count = static_cast<int64_t>(ids.size());
    auto hidden = HiddenStates(model_, ids, {0, count}, {}, nullptr, nullptr);
    auto head = Head::Load(model_, {});
    std::vector<float> logits(model_.spec.vocabulary);
    EXPECT_TRUE((*head)->Logits(std::span<const float>(*hidden).last(model_.spec.width), 1, logits).ok());
    return logits;
  }

  std::vector<int32_t> Run(Generator& generator, const std::vector<int32_t>& prompt, const GenerateOptions& options) {
    auto ids = generator.Generate(prompt, options, nullptr);
    EXPECT_TRUE(ids.ok()) << ids.status();
    return *std::move(ids);
  }

  Model model_ = SyntheticModel(SmallSpec(), 1);
};

TEST_F(GenerateTest, LastLogitsHaveTheBitsOfScoring) {
  const auto generator = Load(2);
  for (const int64_t count : {1, 2, 63, 64, 65, 130}) {
    const std::vector<int32_t> prompt = RandomIds(model_.spec, count, count);
    auto logits = generator->LastLogits(prompt);
    ASSERT_TRUE(logits.ok()) << logits.status();
    EXPECT_EQ(*logits, ScoredLogits(prompt)) << count;
  }
}

TEST(SamplerTest, TakesNothingOfWhatIsNoNumber) {
  const std::vector<float> sound = {1, 3, 2};
  EXPECT_EQ(*Sampler(0, 1).Next(sound), 1);
  for (size_t at = 0; at < sound.size(); ++at) {
    std::vector<float> logits = sound;
    logits[at] = std::nanf("");
    for (const double temperature : {0.0, 1.0}) {
      const absl::Status status = Sampler(temperature, 1).Next(logits).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
      EXPECT_THAT(std::string(status.message()), HasSubstr("logits are not numbers"));
    }
  }
}

TEST(SamplerTest, TakesNothingOfWhatIsInfinite) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const double temperature : {0.0, 1.0}) {
    for (const std::vector<float>& logits : {std::vector<float>{1, kInfinity, 2}, std::vector<float>(3, -kInfinity)}) {
      EXPECT_EQ(Sampler(temperature, 1).Next(logits).status().code(), absl::StatusCode::kFailedPrecondition);
    }
    EXPECT_EQ(*Sampler(temperature, 1).Next(std::vector<float>{-kInfinity, 2, -kInfinity}), 1);
  }
}

TEST_F(GenerateTest, GreedyIsTheArgmaxOfScoring) {
  std::vector<int32_t> prompt = RandomIds(model_.spec, 60, 3);
  GenerateOptions options;
  options.max_tokens = 12;
  const std::vector<int32_t> ids = Run(*Load(1), prompt, options);
  ASSERT_EQ(ids.size(), 12u);
  for (const int32_t id : ids) {
    const std::vector<float> logits = ScoredLogits(prompt);
    ASSERT_EQ(id, std::max_element(logits.begin(), logits.end()) - logits.begin());
    prompt.push_back(id);
  }
}

TEST_F(GenerateTest, NeitherThreadsNorHistoryMatter) {
  const std::vector<int32_t> prompt = RandomIds(model_.spec, 100, 4);
  GenerateOptions options;
  options.max_tokens = 20;
  options.temperature = 1.5;
  options.seed = 7;
  const auto generator = Load(2);
  const std::vector<int32_t> first = Run(*generator, prompt, options);
  std::vector<int32_t> longer = prompt;
  longer.insert(longer.end(), first.begin(), first.begin() + 5);
  Run(*generator, longer, options);
  EXPECT_EQ(Run(*generator, prompt, options), first);
  EXPECT_EQ(Run(*Load(1), prompt, options), first);
  options.seed = 8;
  EXPECT_NE(Run(*generator, prompt, options), first);
}

TEST_F(GenerateTest, EndsAtStopIdsTheContextAndMaxTokens) {
  const auto generator = Load(1);
  const std::vector<int32_t> prompt = RandomIds(model_.spec, 10, 5);
  GenerateOptions options;
  options.max_tokens = 30;
  options.temperature = 2;
  const std::vector<int32_t> free = Run(*generator, prompt, options);
  ASSERT_EQ(free.size(), 30u);
  options.stop_ids = {free[4]};
  std::vector<int32_t> seen;
  auto stopped = generator->Generate(prompt, options, [&](int32_t id) { seen.push_back(id); });
  ASSERT_TRUE(stopped.ok());
  EXPECT_EQ(stopped->back(), free[4]);
  EXPECT_LE(stopped->size(), 5u);
  EXPECT_EQ(seen, *stopped);

  options.stop_ids.clear();
  model_.spec.context_length = 14;
  const auto bounded = Load(1);
  EXPECT_EQ(Run(*bounded, prompt, options).size(), 5u);
  EXPECT_EQ(bounded->Generate(RandomIds(model_.spec, 15, 6), options, nullptr).status().code(),
            absl::StatusCode::kInvalidArgument);
  options.max_tokens = 0;
  EXPECT_TRUE(Run(*bounded, prompt, options).empty());
}

TEST_F(GenerateTest, BadRequestsAreErrors) {
  const auto generator = Load(1);
  EXPECT_EQ(generator->LastLogits({}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(generator->LastLogits(std::vector<int32_t>{-1}).status().code(), absl::StatusCode::kOutOfRange);
  GenerateOptions options;
  options.temperature = -1;
  EXPECT_EQ(generator->Generate(std::vector<int32_t>{1}, options, nullptr).status().code(),
            absl::StatusCode::kInvalidArgument);
  CancellationToken token;
  token.Cancel();
  options.temperature = 0;
  options.cancellation = &token;
  EXPECT_EQ(generator->Generate(std::vector<int32_t>{1}, options, nullptr).status().code(),
            absl::StatusCode::kCancelled);
  // An error leaves the generator usable.
  EXPECT_TRUE(generator->LastLogits(std::vector<int32_t>{1, 2}).ok());
  model_.spec.layers[1].attention.kv_heads = 3;
  const absl::Status uneven = Generator::Create(model_, {}).status();
  EXPECT_EQ(uneven.code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(uneven.message(), HasSubstr("block 1 has 3 key-value heads"));
}

TEST_F(GenerateTest, TimesArePositive) {
  const auto generator = Load(2);
  const auto prefill = generator->TimePrefill(100);
  ASSERT_TRUE(prefill.ok());
  EXPECT_GT(*prefill, 0);
  for (const int batch : {1, 3, 1}) {
    const auto decode = generator->TimeDecode({.steps = 10, .context = 70, .batch = batch});
    ASSERT_TRUE(decode.ok()) << decode.status();
    ASSERT_EQ(decode->size(), 10);
    for (const double seconds : *decode) EXPECT_GT(seconds, 0);
  }
  EXPECT_EQ(generator->TimeDecode({.batch = 0}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
