#include "core/evaluate/scored_windows.h"

#include <numeric>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

std::vector<int32_t> Ids(int count) {
  std::vector<int32_t> ids(count);
  std::iota(ids.begin(), ids.end(), 100);
  return ids;
}

ScoredWindows Cut(const Protocol& protocol, int tokens, int64_t words = 7) {
  absl::StatusOr<ScoredWindows> windows = CutWindows(protocol, Ids(tokens), words);
  EXPECT_TRUE(windows.ok()) << windows.status();
  return std::move(windows).value_or(ScoredWindows());
}

TEST(CutWindowsTest, WindowsDropTheTrailingPartAndTheirFirstToken) {
  const ScoredWindows cut = Cut({.window = 8, .stride = 8}, 27);
  ASSERT_EQ(cut.windows.size(), 3);
  EXPECT_EQ(cut.windows[2].start, 16);
  EXPECT_EQ(cut.windows[2].begin, 16);
  EXPECT_EQ(cut.windows[2].score_begin, 17);
  EXPECT_EQ(cut.windows[2].score_end, 24);
  EXPECT_EQ(cut.windows[2].inputs(), 7);
  EXPECT_EQ(cut.scored(), 21);
  EXPECT_EQ(cut.divisor, 21);
  EXPECT_EQ(cut.tokens(), 24);
}

TEST(CutWindowsTest, OverlappingWindowsScoreNewTokensOnly) {
  const ScoredWindows cut = Cut({.window = 8, .stride = 2}, 13);
  ASSERT_EQ(cut.windows.size(), 3);
  EXPECT_EQ(cut.windows[0].scored(), 7);
  EXPECT_EQ(cut.windows[1].start, 2);
  EXPECT_EQ(cut.windows[1].score_begin, 8);
  EXPECT_EQ(cut.windows[2].score_begin, 10);
  EXPECT_EQ(cut.windows[2].score_end, 12);
  EXPECT_EQ(cut.divisor, 11);
}

TEST(CutWindowsTest, BosStandsBeforeTheWindowAndScoresNothingMore) {
  const ScoredWindows cut = Cut({.window = 8, .stride = 8, .bos_id = 1}, 16);
  EXPECT_EQ(cut.windows[1].prefix, 1);
  EXPECT_EQ(cut.windows[1].begin, 8);
  EXPECT_EQ(cut.windows[1].inputs(), 8);
  EXPECT_EQ(cut.windows[1].scored(), 7);
}

TEST(CutWindowsTest, MaxWindowsTakesTheFirst) {
  EXPECT_EQ(Cut({.window = 8, .stride = 8, .max_windows = 2}, 100).windows.size(), 2);
  EXPECT_EQ(Cut({.window = 8, .stride = 8, .max_windows = 20}, 100).windows.size(), 12);
}

// llama-perplexity with n_ctx 512: logits of positions 256 .. 510 predict the tokens after them, 255 a chunk.
TEST(CutWindowsTest, LlamaCppScoresTheSecondHalf) {
  const ScoredWindows cut =
      Cut({.convention = PerplexityConvention::kLlamaCpp, .window = 512, .stride = 512}, 512 * 3 + 100);
  ASSERT_EQ(cut.windows.size(), 3);
  EXPECT_EQ(cut.windows[1].begin, 512);
  EXPECT_EQ(cut.windows[1].score_begin, 512 + 257);
  EXPECT_EQ(cut.windows[1].score_end, 1024);
  EXPECT_EQ(cut.divisor, 3 * 255);
  EXPECT_EQ(cut.tokens(), 3 * 512);
}

TEST(CutWindowsTest, LlamaCppPutsBosBeforeTheTextAndInPlaceOfFirstTokens) {
  const ScoredWindows cut =
      Cut({.convention = PerplexityConvention::kLlamaCpp, .window = 8, .stride = 8, .bos_id = 1}, 15);
  EXPECT_EQ(cut.stream[0], 1);
  EXPECT_EQ(cut.stream[1], 100);
  ASSERT_EQ(cut.windows.size(), 2);
  EXPECT_EQ(cut.windows[1].start, 8);
  EXPECT_EQ(cut.windows[1].prefix, 1);
  EXPECT_EQ(cut.windows[1].begin, 9);
  EXPECT_EQ(cut.windows[1].score_begin, 13);
  EXPECT_EQ(cut.windows[1].score_end, 16);
  EXPECT_EQ(cut.windows[1].inputs(), 7);
}

TEST(CutWindowsTest, WordsScoreEveryTokenOnce) {
  const ScoredWindows cut =
      Cut({.convention = PerplexityConvention::kWords, .window = 8, .stride = 8, .bos_id = 1}, 19, 5);
  ASSERT_EQ(cut.windows.size(), 3);
  EXPECT_EQ(cut.windows[0].prefix, 1);
  EXPECT_EQ(cut.windows[0].begin, 0);
  EXPECT_EQ(cut.windows[0].score_begin, 0);
  EXPECT_EQ(cut.windows[0].inputs(), 8);
  EXPECT_EQ(cut.windows[1].prefix, -1);
  EXPECT_EQ(cut.windows[1].begin, 7);
  EXPECT_EQ(cut.windows[1].score_begin, 8);
  EXPECT_EQ(cut.windows[1].inputs(), 8);
  EXPECT_EQ(cut.windows[2].score_end, 19);
  EXPECT_EQ(cut.scored(), 19);
  EXPECT_EQ(cut.divisor, 5);
}

TEST(CutWindowsTest, FaultsSayHowManyTokensThereAre) {
  const Protocol protocol = {.dataset = "short", .window = 2048, .stride = 2048};
  const absl::Status tooShort = CutWindows(protocol, Ids(100), 20).status();
  EXPECT_EQ(tooShort.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(tooShort.message(),
            "text \"short\" has 100 tokens, fewer than one window of 2048; give a longer text or a smaller window");
  const absl::Status empty = CutWindows(protocol, {}, 0).status();
  EXPECT_EQ(empty.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(empty.message(), "text \"short\" is empty");
  const Protocol words = {.convention = PerplexityConvention::kWords, .dataset = "blank", .bos_id = 1};
  EXPECT_THAT(std::string(CutWindows(words, Ids(3), 0).status().message()), HasSubstr("has no words"));
}

TEST(CountWordsTest, AsPythonSplits) {
  EXPECT_EQ(CountWords(""), 0);
  EXPECT_EQ(CountWords(" \n\t"), 0);
  EXPECT_EQ(CountWords("one"), 1);
  EXPECT_EQ(CountWords("  one two\nthree  "), 3);
  // No-break space, ideographic space, line separator, unit separator; a zero-width space separates nothing.
  EXPECT_EQ(CountWords("a\xC2\xA0"
                       "b\xE3\x80\x80"
                       "c\xE2\x80\xA8"
                       "d\x1F"
                       "e"),
            5);
  EXPECT_EQ(CountWords("a\xE2\x80\x8B"
                       "b"),
            1);
  EXPECT_EQ(CountWords("\xC3\xA9\xC3\xA9 \xF0\x9F\x98\x80"), 2);
  EXPECT_EQ(CountWords("cut\xE2"), 1);
}

}  // namespace
}  // namespace tersor
