#include "core/evaluate/tasks/request_encoding.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/tiny_model.h"
#include "tests/testing/tiny_tokenizer.h"

namespace tersor {
namespace {

std::unique_ptr<const Tokenizer> TinyTokenizer() { return *Tokenizer::FromJson(testing::TinyTokenizerJson()); }

TEST(RequestEncodingTest, TheContinuationIsWhatTheWholeHasMore) {
  const auto tokenizer = TinyTokenizer();
  const auto request = EncodePair(*tokenizer, "ab", " cd", testing::kTinyBosId);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->context, *tokenizer->Encode("ab"));
  EXPECT_EQ(*tokenizer->Decode(request->continuation), " cd");
}

TEST(RequestEncodingTest, WhiteSpaceAtTheEndMovesToTheContinuation) {
  const auto tokenizer = TinyTokenizer();
  const auto request = EncodePair(*tokenizer, "ab \n\xC2\xA0", "cd", testing::kTinyBosId);
  ASSERT_TRUE(request.ok());
  EXPECT_EQ(request->context, *tokenizer->Encode("ab"));
  EXPECT_EQ(*tokenizer->Decode(request->continuation),
            " \n\xC2\xA0"
            "cd");
}

TEST(RequestEncodingTest, AnEmptyContextIsThePrefixToken) {
  const auto tokenizer = TinyTokenizer();
  for (const char* context : {"", "  "}) {
    const auto request = EncodePair(*tokenizer, context, "cd", testing::kTinyBosId);
    ASSERT_TRUE(request.ok());
    EXPECT_THAT(request->context, ::testing::ElementsAre(testing::kTinyBosId));
    EXPECT_EQ(*tokenizer->Decode(request->continuation), absl::StrCat(context, "cd"));
  }
  EXPECT_FALSE(EncodePair(*tokenizer, "", "cd", -1).ok());
}

TEST(RequestEncodingTest, TheTokenizersFrameStandsAroundContextAndWhole) {
  const auto tokenizer = TinyTokenizer();
  const TextFrame frame = {.before = {testing::kTinyBosId}, .after = {}, .marker = "<|endoftext|>"};
  for (const char* context : {"ab", "<|endoftext|>ab"}) {
    const auto request = EncodePair(*tokenizer, context, " cd", testing::kTinyBosId, frame);
    ASSERT_TRUE(request.ok()) << request.status();
    std::vector<int32_t> expected = *tokenizer->Encode("ab");
    expected.insert(expected.begin(), testing::kTinyBosId);
    EXPECT_EQ(request->context, expected) << context;
    EXPECT_EQ(*tokenizer->Decode(request->continuation), " cd");
  }
  // Nothing but white space: the prefix is there already.
  const auto blank = EncodePair(*tokenizer, " ", "cd", testing::kTinyBosId, frame);
  ASSERT_TRUE(blank.ok());
  EXPECT_THAT(blank->context, ::testing::ElementsAre(testing::kTinyBosId));
  EXPECT_EQ(*tokenizer->Decode(blank->continuation), " cd");
}

TEST(RequestEncodingTest, ATargetWithoutTokensIsAFault) {
  EXPECT_FALSE(EncodePair(*TinyTokenizer(), "ab", "", testing::kTinyBosId).ok());
}

TEST(RequestEncodingTest, StripsAsPython) {
  EXPECT_EQ(StrippedLength(""), 0);
  EXPECT_EQ(StrippedLength("a b"), 3);
  EXPECT_EQ(StrippedLength("a \t\n\x1f"), 1);
  EXPECT_EQ(StrippedLength("a\xE2\x80\xAF"), 1);
  EXPECT_EQ(StrippedLength("a\xE2\x80\x8B"), 4);  // zero width space is no space to Python
}

}  // namespace
}  // namespace tersor
