#include "core/evaluate/prefix_batches.h"

#include <algorithm>
#include <random>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

std::vector<std::span<const int32_t>> Spans(const std::vector<std::vector<int32_t>>& sequences) {
  return {sequences.begin(), sequences.end()};
}

TEST(PrefixBatchesTest, NeighboursShareTheirBeginning) {
  const std::vector<std::vector<int32_t>> sequences = {{1, 2, 3, 9}, {7}, {1, 2, 4}, {1, 2, 3}, {1, 2, 3}};
  const auto batches = PlanPrefixBatches(Spans(sequences), 100);
  ASSERT_EQ(batches.size(), 1);
  EXPECT_EQ(batches[0].tokens, 3 + 0 + 1 + 1 + 1);
  std::vector<std::pair<int64_t, int64_t>> members;
  for (const PrefixMember& member : batches[0].members) members.emplace_back(member.index, member.shared);
  EXPECT_THAT(members, ::testing::ElementsAre(std::pair(3, 0), std::pair(4, 3), std::pair(0, 3), std::pair(2, 2),
                                              std::pair(1, 0)));
}

TEST(PrefixBatchesTest, EndsWhereLittleIsShared) {
  // Two families of 6 + 2 + 2 tokens; after 11 tokens the first three of the second family are begun.
  const std::vector<std::vector<int32_t>> sequences = {
      {1, 1, 1, 1, 1, 1, 5, 5}, {1, 1, 1, 1, 1, 1, 6, 6}, {2, 2, 2, 2, 5, 5}, {2, 2, 2, 2, 6, 6}};
  const auto batches = PlanPrefixBatches(Spans(sequences), 17);
  ASSERT_EQ(batches.size(), 2);
  EXPECT_EQ(batches[0].tokens, 10);
  EXPECT_EQ(batches[1].tokens, 8);
}

TEST(PrefixBatchesTest, EverySequenceIsThereOnceAndBatchesKeepTheLimit) {
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    std::vector<std::vector<int32_t>> sequences(40);
    for (auto& sequence : sequences) {
      sequence.resize(1 + random() % 12);
      for (int32_t& id : sequence) id = static_cast<int32_t>(random() % 2);
    }
    const int64_t limit = 1 + static_cast<int64_t>(random() % 60);
    std::vector<int64_t> seen;
    for (const PrefixBatch& batch : PlanPrefixBatches(Spans(sequences), limit)) {
      int64_t tokens = 0;
      const std::vector<int32_t>* before = nullptr;
      for (const PrefixMember& member : batch.members) {
        const std::vector<int32_t>& sequence = sequences[member.index];
        ASSERT_LE(member.shared, static_cast<int64_t>(before == nullptr ? 0 : before->size()));
        for (int64_t i = 0; i < member.shared; ++i) ASSERT_EQ(sequence[i], (*before)[i]);
        tokens += static_cast<int64_t>(sequence.size()) - member.shared;
        before = &sequence;
        seen.push_back(member.index);
      }
      EXPECT_EQ(batch.tokens, tokens);
      EXPECT_TRUE(tokens <= limit || batch.members.size() == 1);
    }
    std::sort(seen.begin(), seen.end());
    ASSERT_EQ(seen.size(), sequences.size());
    for (size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<int64_t>(i));
  }
}

TEST(PrefixBatchesTest, NothingMakesNoBatch) { EXPECT_TRUE(PlanPrefixBatches({}, 10).empty()); }

}  // namespace
}  // namespace tersor
