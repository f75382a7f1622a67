#include "core/evaluate/window_store.h"

#include <fstream>

#include "gtest/gtest.h"
#include "tests/testing/scratch_folder.h"

namespace tersor {
namespace {

ScoredWindow Window() {
  ScoredWindow window;
  window.score_begin = 1;
  window.score_end = 4;
  return window;
}

PairedWindow Pair(bool divergence) {
  PairedWindow pair = {{1.5}, {2.5}, {}};
  if (divergence) pair.tokens = {{0.1, 0.2, 0.3}, {0.4, 0.5, 0.6}, {1, 0, 1}};
  return pair;
}

TEST(WindowStoreTest, GivesBackWhatWasWritten) {
  const testing::ScratchFolder folder;
  const auto store = WindowStore::Open(folder.path(), "key");
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_FALSE(store->Read(0, Window(), false).has_value());
  ASSERT_TRUE(store->Write(0, Pair(true)).ok());
  ASSERT_TRUE(store->Write(1, Pair(false)).ok());
  const std::optional<PairedWindow> read = store->Read(0, Window(), true);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->dense_nlls, std::vector<double>{1.5});
  EXPECT_EQ(read->nlls, std::vector<double>{2.5});
  EXPECT_EQ(read->tokens.kl, (std::vector<double>{0.1, 0.2, 0.3}));
  EXPECT_EQ(read->tokens.jensen_shannon, (std::vector<double>{0.4, 0.5, 0.6}));
  EXPECT_EQ(read->tokens.same_top1, (std::vector<uint8_t>{1, 0, 1}));
  // What holds more serves who asks for less, not the other way round.
  EXPECT_TRUE(store->Read(0, Window(), false).has_value());
  EXPECT_TRUE(store->Read(1, Window(), false).has_value());
  EXPECT_FALSE(store->Read(1, Window(), true).has_value());
}

TEST(WindowStoreTest, TrustsNothingElse) {
  const testing::ScratchFolder folder;
  const auto store = WindowStore::Open(folder.path(), "key");
  ASSERT_TRUE(store.ok() && store->Write(0, Pair(true)).ok());
  ScoredWindow longer = Window();
  longer.score_end = 5;
  EXPECT_FALSE(store->Read(0, longer, true).has_value());
  const auto other = WindowStore::Open(folder.path(), "other");
  std::filesystem::copy(folder.path() / "key" / "window-000000.safetensors", folder.path() / "other");
  EXPECT_FALSE(other->Read(0, Window(), true).has_value());
  // One flipped bit in the last number.
  const std::filesystem::path file = folder.path() / "key" / "window-000000.safetensors";
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(-1, std::ios::end);
  bytes.put(0x40);
  bytes.close();
  EXPECT_FALSE(store->Read(0, Window(), true).has_value());
}

}  // namespace
}  // namespace tersor
