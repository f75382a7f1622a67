#include "core/model/block.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/encoding/dense_tensor.h"
#include "core/kernels/cpu_info.h"
#include "core/model/head.h"
#include "core/model/hidden_states.h"
#include "core/model/kv_cache.h"
#include "tests/core/model/synthetic_model.h"

namespace tersor {

static void PrintTo(const KvFormat& format, std::ostream* out) {
  *out << (format.bits == 0 ? "float32" : "int" + std::to_string(format.bits));
}

namespace {

using ::testing::HasSubstr;

std::vector<float> RunHidden(const Model& model, const std::vector<int32_t>& ids, const std::vector<int64_t>& offsets,
                             int threads) {
  ComputeOptions options;
  options.threads = threads;
  auto hidden = HiddenStates(model, ids, offsets, options, nullptr, nullptr);
  EXPECT_TRUE(hidden.ok()) << hidden.status();
  return *std::move(hidden);
}

bool SameBits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST(BlockTest, RowsDoNotDependOnBatchOrderOrThreads) {
  const Model model = SyntheticModel(SmallSpec(), 1);
  const int64_t width = model.spec.width;
  const std::vector<int64_t> lengths = {1, 2, 130, 17, 64, 65, 300};
  std::vector<std::vector<int32_t>> sequences;
  std::vector<std::vector<float>> alone;
  for (size_t i = 0; i < lengths.size(); ++i) {
    sequences.push_back(RandomIds(model.spec, lengths[i], 10 + i));
    alone.push_back(RunHidden(model, sequences.back(), {0, lengths[i]}, 1));
  }
  for (const int threads : {1, 2}) {
    for (const bool reversed : {false, true}) {
      std::vector<int32_t> ids;
      std::vector<int64_t> offsets = {0};
      for (size_t i = 0; i < lengths.size(); ++i) {
        const auto& sequence = sequences[reversed ? lengths.size() - 1 - i : i];
        ids.insert(ids.end(), sequence.begin(), sequence.end());
        offsets.push_back(ids.size());
      }
      const std::vector<float> together = RunHidden(model, ids, offsets, threads);
      for (size_t i = 0; i < lengths.size(); ++i) {
        const size_t which = reversed ? lengths.size() - 1 - i : i;
        const std::span<const float> rows(together.data() + offsets[i] * width, lengths[which] * width);
        EXPECT_TRUE(SameBits(rows, alone[which])) << "length " << lengths[which] << ", threads " << threads;
      }
    }
  }
}

// Sequences that begin like the one before them, with beginnings of whole and broken pages of keys.
class SharedPositionsTest : public ::testing::TestWithParam<KvFormat> {};

TEST_P(SharedPositionsTest, GiveTheBitsOfWholeSequences) {
  Model model = SyntheticModel(SmallSpec(), 1);
  model.kv_format = GetParam();
  const int64_t width = model.spec.width;
  const std::vector<int64_t> lengths = {100, 103, 64, 200, 200, 130, 20};
  const std::vector<int64_t> shared = {0, 100, 63, 64, 150, 128, 0};
  std::vector<std::vector<int32_t>> sequences;
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets = {0};
  for (size_t i = 0; i < lengths.size(); ++i) {
    std::vector<int32_t> sequence;
    if (i > 0) sequence.assign(sequences[i - 1].begin(), sequences[i - 1].begin() + shared[i]);
    const std::vector<int32_t> own = RandomIds(model.spec, lengths[i] - shared[i], 10 + i);
    sequence.insert(sequence.end(), own.begin(), own.end());
    ids.insert(ids.end(), own.begin(), own.end());
    offsets.push_back(static_cast<int64_t>(ids.size()));
    sequences.push_back(std::move(sequence));
  }
  for (const int threads : {1, 3}) {
    const auto together = HiddenStates(model, ids, offsets, {.threads = threads}, nullptr, nullptr, shared);
    ASSERT_TRUE(together.ok()) << together.status();
    for (size_t i = 0; i < lengths.size(); ++i) {
      const std::vector<float> alone = RunHidden(model, sequences[i], {0, lengths[i]}, 1);
      const int64_t own = lengths[i] - shared[i];
      EXPECT_TRUE(
          SameBits(std::span(*together).subspan(offsets[i] * width, own * width), std::span(alone).last(own * width)))
          << "sequence " << i << ", threads " << threads;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, SharedPositionsTest,
                         ::testing::Values(KvFormat{}, KvFormat{4, KvKeys::kToken}, KvFormat{2, KvKeys::kChannel}));

TEST(BlockTest, SharedPositionsAndSlotsAreChecked) {
  const Model model = SyntheticModel(SmallSpec(), 1);
  const auto block = Block::Load(model, 0, {});
  ASSERT_TRUE(block.ok());
  const AttentionSpec& a = model.spec.layers[0].attention;
  KvCache cache(KvShape{1, a.kv_heads, a.head_size});
  cache.AddSlot();
  cache.AddSlot();
  std::vector<float> hidden(5 * model.spec.width);
  const auto message = [&](const PackedBatch& batch) {
    return std::string((*block)->Forward(batch, hidden).message());
  };
  EXPECT_THAT(message({.offsets = {0, 3, 5}, .shared = {0, 4}}), HasSubstr("of sequence 1 are 4 of 3"));
  EXPECT_THAT(message({.offsets = {0, 3, 5}, .shared = {1, 0}}), HasSubstr("of sequence 0 are 1 of 0"));
  EXPECT_THAT(message({.offsets = {0, 3, 5}, .shared = {0, -1}}), HasSubstr("of sequence 1 are -1"));
  EXPECT_THAT(message({.offsets = {0, 3, 5}, .shared = {0}}), HasSubstr("not one a sequence"));
  EXPECT_THAT(message({.offsets = {0, 3, 5}, .cache = &cache, .shared = {0, 1}}), HasSubstr("together with a cache"));
  EXPECT_THAT(message({.offsets = {0, 3, 5}, .slots = {0, 1}}), HasSubstr("slots without a cache"));
  for (const std::vector<int64_t>& slots : {std::vector<int64_t>{0}, {0, 0}, {0, 2}, {-1, 0}}) {
    EXPECT_THAT(message({.offsets = {0, 3, 5}, .cache = &cache, .slots = slots}),
                HasSubstr("slots must be one of the cache a sequence"));
  }
  EXPECT_EQ(message({.offsets = {0, 3, 5}, .cache = &cache, .slots = {1, 0}}), "");
}

TEST(BlockTest, SegmentsInARowAreForward) {
  const Model model = SyntheticModel(SmallSpec(), 2);
  ComputeOptions options;
  options.threads = 2;
  for (int index = 0; index < 2; ++index) {
    auto block = Block::Load(model, index, options);
    ASSERT_TRUE(block.ok()) << block.status();
    PackedBatch batch;
    batch.offsets = {0, 70, 71, 200};
    std::vector<float> hidden(200 * model.spec.width);
    ASSERT_TRUE(Embed(model, RandomIds(model.spec, 200, 3), hidden).ok());
    std::vector<float> whole = hidden;
    ASSERT_TRUE((*block)->Forward(batch, whole).ok());

    std::vector<float> input(hidden.size());
    ASSERT_TRUE((*block)->Enter(batch, hidden, input).ok());
    const auto& segments = (*block)->segments();
    for (size_t s = 0; s < segments.size(); ++s) {
      std::vector<float> next(s + 1 < segments.size() ? 200 * segments[s + 1].input_width : 0);
      ASSERT_TRUE((*block)->RunSegment(s, batch, input, hidden, next).ok());
      input = next;
    }
    EXPECT_TRUE(SameBits(hidden, whole));
  }
}

TEST(BlockTest, SetWeightReplacesOneLayer) {
  const Model model = SyntheticModel(SmallSpec(), 4);
  Model changed = model;
  const std::string name = "model.layers.0.mlp.up_proj";
  changed.parameters[name + ".weight"] = SyntheticModel(SmallSpec(), 5).parameters[name + ".weight"];
  auto block = Block::Load(model, 0, {});
  auto expected = Block::Load(changed, 0, {});
  ASSERT_TRUE(block.ok() && expected.ok());
  ASSERT_TRUE((*block)->SetWeight(name, *changed.parameters[name + ".weight"]).ok());
  PackedBatch batch;
  batch.offsets = {0, 40};
  std::vector<float> hidden(40 * model.spec.width);
  ASSERT_TRUE(Embed(model, RandomIds(model.spec, 40, 6), hidden).ok());
  std::vector<float> other = hidden;
  ASSERT_TRUE((*block)->Forward(batch, hidden).ok());
  ASSERT_TRUE((*expected)->Forward(batch, other).ok());
  EXPECT_TRUE(SameBits(hidden, other));

  EXPECT_EQ((*block)->SetWeight("model.layers.0.mlp.none", *changed.parameters[name + ".weight"]).code(),
            absl::StatusCode::kNotFound);
  const absl::Status wrong = (*block)->SetWeight("model.layers.0.mlp.down_proj", *changed.parameters[name + ".weight"]);
  EXPECT_EQ(wrong.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(wrong.message(), HasSubstr("down_proj.weight has shape [100, 72]"));
}

TEST(BlockTest, MissingOrMisshapenParametersAreNamed) {
  Model model = SyntheticModel(SmallSpec(), 7);
  model.parameters["model.layers.1.self_attn.q_norm.weight"] = *DenseTensor::FromFloats({3}, {1, 2, 3});
  const absl::Status misshapen = Block::Load(model, 1, {}).status();
  EXPECT_EQ(misshapen.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(misshapen.message(), HasSubstr("model.layers.1.self_attn.q_norm.weight has shape [3]"));
  model.parameters.erase("model.layers.0.self_attn.o_proj.bias");
  const absl::Status missing = Block::Load(model, 0, {}).status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(missing.message(), HasSubstr("model.layers.0.self_attn.o_proj.bias"));
}

TEST(BlockTest, BF16IsCloseOrRefusedWithAReason) {
  const Model model = SyntheticModel(SmallSpec(), 8);
  ComputeOptions options;
  options.precision = Precision::kBF16;
  const std::vector<int32_t> ids = RandomIds(model.spec, 100, 9);
  const auto hidden = HiddenStates(model, ids, {0, 100}, options, nullptr, nullptr);
  if (!GetCpuInfo().bf16) {
    EXPECT_EQ(hidden.status().code(), absl::StatusCode::kUnimplemented);
    EXPECT_THAT(hidden.status().message(), HasSubstr("bf16"));
    return;
  }
  ASSERT_TRUE(hidden.ok()) << hidden.status();
  const std::vector<float> exact = RunHidden(model, ids, {0, 100}, 1);
  double error = 0, norm = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    error += (exact[i] - (*hidden)[i]) * (exact[i] - (*hidden)[i]);
    norm += exact[i] * exact[i];
  }
  EXPECT_GT(error, 0);
  EXPECT_LT(std::sqrt(error / norm), 0.02);
}

TEST(EmbedTest, NamesAnIdOutsideTheVocabulary) {
  const Model model = SyntheticModel(SmallSpec(), 1);
  std::vector<float> hidden(2 * model.spec.width);
  const absl::Status status = Embed(model, std::vector<int32_t>{3, 1100}, hidden);
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(status.message(), HasSubstr("id 1100 at 1"));
}

}  // namespace
}  // namespace tersor
