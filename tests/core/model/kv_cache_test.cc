#include "core/model/kv_cache.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/kernels/random_floats.h"

namespace tersor {
namespace {

class KvCacheTest : public testing::Test {
 protected:
  static constexpr int kHeadSize = 20;
  static constexpr int kHeads = 2;

  // Appends `count` positions whose rows depend on `seed` and the position alone.
  void Extend(int64_t slot, int64_t count, uint32_t seed) {
    cache_.Reserve(slot, count);
    Write(slot, count, seed);
  }
  void Write(int64_t slot, int64_t count, uint32_t seed) {
    const int64_t start = cache_.length(slot);
    for (int64_t position = start; position < start + count; ++position) {
      for (int layer = 0; layer < 2; ++layer) {
        const uint32_t row_seed = seed * 10000 + static_cast<uint32_t>(position) * 2 + layer;
        const auto keys = RandomFloats(kHeads * kHeadSize, row_seed);
        const auto values = RandomFloats(kHeads * kHeadSize, row_seed + 5000000);
        cache_.Append(layer, slot, position, keys.data(), values.data());
      }
    }
    cache_.Commit(slot, count);
  }

  // What a fixed query at the slot's last position sees.
  std::vector<float> Probe(int64_t slot, int layer = 1, int head = 1) {
    const std::vector<float> query = RandomFloats(kHeadSize, 77);
    std::vector<float> output(kHeadSize);
    AttentionTile tile;
    tile.head_size = kHeadSize;
    tile.scale = 1 / std::sqrt(static_cast<float>(kHeadSize));
    tile.first_position = cache_.length(slot) - 1;
    tile.positions = 1;
    tile.queries = query.data();
    tile.outputs = output.data();
    cache_.Attend(layer, slot, head, tile);
    return output;
  }

  KvCache cache_{{2, kHeads, kHeadSize}};
};

TEST_F(KvCacheTest, PiecesAreTheWhole) {
  const int64_t a = cache_.AddSlot(), b = cache_.AddSlot();
  Extend(a, 150, 1);
  for (const int count : {1, 63, 70, 16}) Extend(b, count, 1);
  EXPECT_EQ(cache_.length(b), 150);
  EXPECT_EQ(Probe(a), Probe(b));
  EXPECT_NE(Probe(a, 0), Probe(a, 1));
  EXPECT_NE(Probe(a, 1, 0), Probe(a, 1, 1));
}

TEST_F(KvCacheTest, PositionsCanBeSharedBeforeTheyAreWritten) {
  const int64_t whole = cache_.AddSlot();
  Extend(whole, 90, 1);
  // Positions 0 .. 79 of `first`, of which a page and a bit, will be those of `second`.
  const int64_t first = cache_.AddSlot();
  cache_.Reserve(first, 85);
  const auto second = cache_.AddSlotAfter(first, 80);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(cache_.length(*second), 80);
  cache_.Reserve(*second, 10);
  Write(first, 85, 1);
  for (int layer = 0; layer < 2; ++layer) {
    for (int head = 0; head < kHeads; ++head) cache_.FillShared(layer, *second, head);
  }
  Write(*second, 10, 1);
  EXPECT_EQ(Probe(*second), Probe(whole));
  EXPECT_EQ(Probe(*second, 0, 0), Probe(whole, 0, 0));
  EXPECT_EQ(cache_.AddSlotAfter(first, 129).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(cache_.AddSlotAfter(7, 1).status().code(), absl::StatusCode::kOutOfRange);
}

TEST_F(KvCacheTest, ReleasedSlotsAreGivenOutEmpty) {
  const int64_t a = cache_.AddSlot(), b = cache_.AddSlot();
  Extend(a, 70, 1);
  Extend(b, 10, 2);
  cache_.Release(a);
  EXPECT_EQ(cache_.ByteSize(), cache_.PageBytes());
  EXPECT_EQ(cache_.AddSlot(), a);
  EXPECT_EQ(cache_.length(a), 0);
  cache_.Release(a);
  EXPECT_EQ(cache_.Fork(b, 10).value_or(-1), a);
  EXPECT_EQ(Probe(a), Probe(b));
  EXPECT_EQ(cache_.AddSlot(), 2);
}

TEST_F(KvCacheTest, ForksShareUntilTheyDiffer) {
  const int64_t a = cache_.AddSlot();
  Extend(a, 100, 1);
  const std::vector<float> before = Probe(a);
  const int64_t bytes = cache_.ByteSize();
  auto fork = cache_.Fork(a, 90);
  ASSERT_TRUE(fork.ok());
  EXPECT_EQ(cache_.length(*fork), 90);
  EXPECT_EQ(cache_.ByteSize(), 2 * bytes);
  Extend(*fork, 10, 2);
  EXPECT_EQ(Probe(a), before) << "writing to a fork changed its origin";
  EXPECT_NE(Probe(*fork), before);
  // The same continuation gives the same again.
  auto again = cache_.Fork(a, 90);
  ASSERT_TRUE(again.ok());
  Extend(*again, 10, 1);
  EXPECT_EQ(Probe(*again), before);
}

TEST_F(KvCacheTest, TruncateForgets) {
  const int64_t a = cache_.AddSlot();
  Extend(a, 70, 1);
  const std::vector<float> before = Probe(a);
  Extend(a, 80, 3);
  ASSERT_TRUE(cache_.Truncate(a, 70).ok());
  EXPECT_EQ(cache_.length(a), 70);
  EXPECT_EQ(Probe(a), before);
  EXPECT_EQ(cache_.Truncate(a, 71).code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(cache_.Fork(a, 71).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(cache_.Fork(9, 0).status().code(), absl::StatusCode::kOutOfRange);
}

}  // namespace
}  // namespace tersor
