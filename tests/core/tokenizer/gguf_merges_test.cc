#include "core/tokenizer/gguf_merges.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

std::vector<std::string> Texts(const std::vector<GgufMerge>& merges) {
  std::vector<std::string> texts;
  for (const GgufMerge& merge : merges) texts.push_back(absl::StrCat(merge.left, " ", merge.right));
  return texts;
}

TEST(GgufMergesTest, ParsesPairs) {
  const std::vector<std::string> lines = {"t h", "\xC4\xA0 a"};
  const auto merges = ParseMerges(lines);
  ASSERT_TRUE(merges.ok()) << merges.status();
  EXPECT_EQ(Texts(*merges), lines);
}

TEST(GgufMergesTest, NamesTheEntryThatIsNoPair) {
  for (const char* bad : {"th", " th", "th ", ""}) {
    const auto merges = ParseMerges({"t h", bad});
    EXPECT_EQ(merges.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_NE(merges.status().message().find("merges[1]"), absl::string_view::npos) << merges.status();
  }
  EXPECT_EQ(ParseMerges({"a \xFF"}).status().message(), "tokenizer.ggml.merges[0]: not UTF-8 at byte 2");
  EXPECT_FALSE(ParseMerges({}).ok());
}

TEST(GgufMergesTest, BetterScoresMergeFirst) {
  GgufTokenizerMetadata metadata;
  metadata.tokens = {"a", "b", "c", "bc", "ab", "abc"};
  metadata.scores = {-9, -9, -9, -1, -2, -3};
  const auto merges = MergesFromScores(metadata);
  ASSERT_TRUE(merges.ok()) << merges.status();
  // For "abc" the pair whose left token comes earlier.
  EXPECT_EQ(Texts(*merges), (std::vector<std::string>{"b c", "a b", "a bc", "ab c"}));
}

TEST(GgufMergesTest, SplitsBetweenCharactersAndOnlyNormalTokens) {
  GgufTokenizerMetadata metadata;
  metadata.tokens = {"\xC3\xA9",
                     "a",
                     "\xC3\xA9"
                     "a",
                     "<",
                     "x",
                     "<x"};
  metadata.scores = {0, 0, -1, 0, 0, -1};
  metadata.token_types = {kGgufTokenNormal, kGgufTokenNormal, kGgufTokenNormal,
                          kGgufTokenNormal, kGgufTokenNormal, kGgufTokenControl};
  const auto merges = MergesFromScores(metadata);
  ASSERT_TRUE(merges.ok()) << merges.status();
  EXPECT_EQ(Texts(*merges), (std::vector<std::string>{"\xC3\xA9 a"}));
}

TEST(GgufMergesTest, RefusesMissingAndUnorderedScores) {
  GgufTokenizerMetadata metadata;
  metadata.tokens = {"a", "b"};
  EXPECT_FALSE(MergesFromScores(metadata).ok());
  metadata.scores = {0, std::numeric_limits<float>::quiet_NaN()};
  const auto merges = MergesFromScores(metadata);
  EXPECT_EQ(merges.status().message(), "tokenizer.ggml.scores[1] is not a finite number");
}

}  // namespace
}  // namespace tersor
