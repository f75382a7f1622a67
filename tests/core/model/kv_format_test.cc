#include "core/model/kv_format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/kernels/kv_codes.h"
#include "core/kernels/reference.h"
#include "core/model/kv_cache.h"
#include "nlohmann/json.hpp"
#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

constexpr int kHeadSize = 20, kHeads = 2, kGroup = 3, kLength = 150;
constexpr int kKeyWidth = kHeads * kHeadSize, kQueryWidth = kKeyWidth * kGroup;

std::vector<KvFormat> Formats() {
  return {{0, KvKeys::kToken}, {8, KvKeys::kToken},   {4, KvKeys::kToken},
          {2, KvKeys::kToken}, {4, KvKeys::kChannel}, {2, KvKeys::kChannel}};
}

struct Sequence {
  std::vector<float> queries = RandomFloats(kLength * kQueryWidth, 1), keys = RandomFloats(kLength * kKeyWidth, 2),
                     values = RandomFloats(kLength * kKeyWidth, 3);
};

// Appends positions [first, first + count) and attends from them.
void Extend(const Sequence& sequence, KvCache& cache, int64_t slot, int64_t first, int64_t count,
            std::vector<float>& outputs) {
  cache.Reserve(slot, count);
  for (int64_t i = first; i < first + count; ++i) {
    cache.Append(0, slot, i, sequence.keys.data() + i * kKeyWidth, sequence.values.data() + i * kKeyWidth);
  }
  cache.Seal(0, slot, first + count);
  for (int head = 0; head < kHeads; ++head) {
    AttentionTile tile;
    tile.head_size = kHeadSize;
    tile.group = kGroup;
    tile.scale = 1 / std::sqrt(static_cast<float>(kHeadSize));
    tile.first_position = first;
    tile.positions = count;
    tile.query_stride = tile.output_stride = kQueryWidth;
    tile.queries = sequence.queries.data() + first * kQueryWidth + head * kGroup * kHeadSize;
    tile.outputs = outputs.data() + first * kQueryWidth + head * kGroup * kHeadSize;
    cache.Attend(0, slot, head, tile);
  }
  cache.Commit(slot, count);
}

std::vector<float> RoundRun(const std::vector<float>& run, int bits) {
  std::vector<uint8_t> codes(KvRunBytes(static_cast<int64_t>(run.size()), bits));
  const KvGrid grid = QuantizeKvRun(run.data(), static_cast<int64_t>(run.size()), bits, codes.data());
  std::vector<float> rounded(run.size());
  DequantizeKvRun(codes.data(), static_cast<int64_t>(run.size()), bits, grid, rounded.data());
  return rounded;
}

// Every head of every token on its own.
std::vector<float> RoundTokens(const std::vector<float>& x, int bits) {
  std::vector<float> rounded;
  for (size_t at = 0; at < x.size(); at += kHeadSize) {
    const std::vector<float> run = RoundRun({x.begin() + at, x.begin() + at + kHeadSize}, bits);
    rounded.insert(rounded.end(), run.begin(), run.end());
  }
  return rounded;
}

// Every channel of the 64 positions before `end`'s group on its own; the others stay.
std::vector<float> RoundChannels(std::vector<float> x, int bits, int64_t position) {
  for (int64_t first = 0; first + kKeyBlock <= position / kKeyBlock * kKeyBlock; first += kKeyBlock) {
    for (int64_t channel = 0; channel < kKeyWidth; ++channel) {
      std::vector<float> run;
      for (int64_t i = 0; i < kKeyBlock; ++i) run.push_back(x[(first + i) * kKeyWidth + channel]);
      run = RoundRun(run, bits);
      for (int64_t i = 0; i < kKeyBlock; ++i) x[(first + i) * kKeyWidth + channel] = run[i];
    }
  }
  return x;
}

TEST(KvFormatTest, AttentionReadsWhatIsStored) {
  const Sequence sequence;
  const reference::AttentionShape shape{kHeads * kGroup, kHeads, kHeadSize, 0};
  for (const KvFormat& format : Formats()) {
    KvCache cache({1, kHeads, kHeadSize, format});
    std::vector<float> outputs(kLength * kQueryWidth);
    Extend(sequence, cache, cache.AddSlot(), 0, kLength, outputs);
    const auto values = format.bits == 0 ? sequence.values : RoundTokens(sequence.values, format.bits);
    for (const int64_t position : {0, 63, 64, 100, 127, 128, kLength - 1}) {
      const auto keys = format.bits == 0                ? sequence.keys
                        : format.keys == KvKeys::kToken ? RoundTokens(sequence.keys, format.bits)
                                                        : RoundChannels(sequence.keys, format.bits, position);
      const std::vector<double> expected = reference::Attend(shape, sequence.queries, keys, values);
      for (int i = 0; i < kQueryWidth; ++i) {
        ASSERT_NEAR(outputs[position * kQueryWidth + i], expected[position * kQueryWidth + i], 1e-5)
            << KvFormatName(format) << ", position " << position;
      }
    }
  }
}

TEST(KvFormatTest, PrefillInAnyPiecesAndDecodingAgree) {
  const Sequence sequence;
  for (const KvFormat& format : Formats()) {
    KvCache cache({1, kHeads, kHeadSize, format});
    std::vector<float> whole(kLength * kQueryWidth), pieces = whole, single = whole;
    Extend(sequence, cache, cache.AddSlot(), 0, kLength, whole);
    const int64_t slot = cache.AddSlot();
    for (const auto& [first, count] :
         std::vector<std::pair<int, int>>{{0, 10}, {10, 54}, {64, 1}, {65, 80}, {145, 5}}) {
      Extend(sequence, cache, slot, first, count, pieces);
    }
    const int64_t steps = cache.AddSlot();
    for (int64_t i = 0; i < kLength; ++i) Extend(sequence, cache, steps, i, 1, single);
    EXPECT_EQ(whole, pieces) << KvFormatName(format);
    EXPECT_EQ(whole, single) << KvFormatName(format);
  }
}

TEST(KvFormatTest, RoundedGroupsAreKeptWholeOrNotAtAll) {
  const Sequence sequence;
  std::vector<float> outputs(kLength * kQueryWidth), again = outputs;
  KvCache cache({1, kHeads, kHeadSize, {4, KvKeys::kChannel}});
  const int64_t slot = cache.AddSlot();
  Extend(sequence, cache, slot, 0, kLength, outputs);
  EXPECT_EQ(cache.Keepable(slot, 100), 64);
  EXPECT_EQ(cache.Keepable(slot, 128), 128);
  EXPECT_EQ(cache.Keepable(slot, 140), 140);
  EXPECT_EQ(cache.Truncate(slot, 100).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(cache.Fork(slot, 100).status().code(), absl::StatusCode::kOutOfRange);
  const auto fork = cache.Fork(slot, 140);
  ASSERT_TRUE(fork.ok());
  Extend(sequence, cache, *fork, 140, 10, again);
  EXPECT_TRUE(std::equal(again.begin() + 140 * kQueryWidth, again.end(), outputs.begin() + 140 * kQueryWidth));
  ASSERT_TRUE(cache.Truncate(slot, 64).ok());
  Extend(sequence, cache, slot, 64, 86, again);
  EXPECT_TRUE(std::equal(again.begin() + 64 * kQueryWidth, again.end(), outputs.begin() + 64 * kQueryWidth));
}

TEST(KvFormatTest, BytesAreThoseOfThePages) {
  const Sequence sequence;
  for (const KvFormat& format : Formats()) {
    const KvShape shape{1, kHeads, kHeadSize, format};
    KvCache cache(shape);
    std::vector<float> outputs(kLength * kQueryWidth);
    Extend(sequence, cache, cache.AddSlot(), 0, kLength, outputs);
    EXPECT_EQ(cache.ByteSize(), 2 * KvPage::StoredBytes(shape) + KvPage::NewestBytes(shape)) << KvFormatName(format);
  }
}

TEST(KvFormatTest, JsonGoesBothWays) {
  for (const KvFormat& format : Formats()) {
    if (format.bits == 0) continue;
    const auto back = KvFormatFromJson(KvFormatToJson(format), "manifest");
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, format);
  }
  for (const char* text : {"3", "{}", R"({"bits": 3, "keys": "token"})", R"({"bits": 4, "keys": "head"})",
                           R"({"bits": -4, "keys": "token"})", R"({"bits": 4, "keys": "token", "more": 1})",
                           R"({"bits": 99999999999, "keys": "token"})", R"({"bits": 4, "keys": 1})"}) {
    const auto back = KvFormatFromJson(nlohmann::json::parse(text), "manifest");
    EXPECT_EQ(back.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(back.status().message(), HasSubstr("manifest: ")) << text;
  }
}

}  // namespace
}  // namespace tersor
