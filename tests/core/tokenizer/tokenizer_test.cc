#include "core/tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "nlohmann/json.hpp"
#include "tests/testing/tiny_model.h"
#include "tests/testing/tiny_tokenizer.h"

namespace tersor {
namespace {

using Ids = std::vector<int32_t>;

class TokenizerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = Tokenizer::FromJson(testing::TinyTokenizerJson());
    ASSERT_TRUE(made.ok()) << made.status();
    tokenizer_ = *std::move(made);
  }

  // The id of one byte of the alphabet.
  static int32_t Byte(char byte) { return 4 + static_cast<uint8_t>(byte); }
  Ids Encode(absl::string_view text) const {
    auto ids = tokenizer_->Encode(text);
    EXPECT_TRUE(ids.ok()) << ids.status();
    return ids.ok() ? *ids : Ids{};
  }

  std::unique_ptr<const Tokenizer> tokenizer_;
};

TEST_F(TokenizerTest, MergesInOrder) {
  const auto id = [this](absl::string_view token) { return static_cast<int32_t>(tokenizer_->TokenToId(token)); };
  EXPECT_EQ(Encode("the"), Ids{id("the")});
  EXPECT_EQ(Encode("thx"), (Ids{id("th"), Byte('x')}));
  // "in" is the earlier merge, so that "g" joins it; "nin" doesn't exist.
  EXPECT_EQ(Encode("aning"), (Ids{id("an"), id("ing")}));
}

TEST_F(TokenizerTest, ParsesSpecialStringsAndAddsNone) {
  EXPECT_EQ(Encode("x<|im_end|>y"), (Ids{Byte('x'), testing::kTinyEosId, Byte('y')}));
  EXPECT_EQ(Encode(""), Ids{});
}

TEST_F(TokenizerTest, DecodesWhatItEncoded) {
  const std::string text = "the \xF0\x9F\x98\x80 and\n\tthe\xC3\xA9 <|pad|>ing\x01";
  const Ids ids = Encode(text);
  EXPECT_EQ(tokenizer_->Decode(ids).value(), text);
  EXPECT_EQ(tokenizer_->Decode(ids, /*skip_special=*/true).value(), "the \xF0\x9F\x98\x80 and\n\tthe\xC3\xA9 ing\x01");
  EXPECT_EQ(tokenizer_->Decode({}).value(), "");
}

TEST_F(TokenizerTest, KeepsZeroBytes) {
  const std::string text("a\0b", 3);
  EXPECT_EQ(Encode(text), (Ids{Byte('a'), Byte('\0'), Byte('b')}));
  EXPECT_EQ(tokenizer_->Decode(Encode(text)).value(), text);
}

TEST_F(TokenizerTest, SaysWhereTextIsNotUtf8) {
  const auto ids = tokenizer_->Encode("abc\xFF");
  EXPECT_EQ(ids.status(), absl::InvalidArgumentError("not UTF-8 at byte 3"));
}

TEST_F(TokenizerTest, RefusesNegativeIds) {
  const Ids ids = {5, -1};
  EXPECT_EQ(tokenizer_->Decode(ids).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(TokenizerTest, KnowsItsVocabulary) {
  EXPECT_EQ(tokenizer_->vocabulary(), testing::kTinyVocabulary);
  EXPECT_EQ(tokenizer_->TokenToId("<|im_end|>"), testing::kTinyEosId);
  EXPECT_EQ(tokenizer_->TokenToId("no such token"), -1);
  EXPECT_EQ(tokenizer_->TokenToId("\xFF"), -1);
  EXPECT_EQ(tokenizer_->sha256(), Sha256Hex(testing::TinyTokenizerJson()));
}

TEST_F(TokenizerTest, IgnoresTruncationAndPaddingOfTheFile) {
  nlohmann::json file = nlohmann::json::parse(testing::TinyTokenizerJson());
  file["truncation"] = {{"direction", "Right"}, {"max_length", 2}, {"strategy", "LongestFirst"}, {"stride", 0}};
  file["padding"] = {
      {"strategy", {{"Fixed", 8}}}, {"direction", "Right"},  {"pad_to_multiple_of", nullptr}, {"pad_id", 3},
      {"pad_type_id", 0},           {"pad_token", "<|pad|>"}};
  const auto tokenizer = Tokenizer::FromJson(file.dump());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ((*tokenizer)->Encode("xyzxy").value(), Encode("xyzxy"));
}

TEST_F(TokenizerTest, EncodesFromManyThreads) {
  std::string text;
  for (int i = 0; i < 2000; ++i) absl::StrAppend(&text, "the and ", i, " ing\n");
  const Ids expected = Encode(text);
  std::vector<Ids> found(4);
  std::vector<std::thread> threads;
  for (Ids& ids : found) threads.emplace_back([this, &ids, &text] { ids = *tokenizer_->Encode(text); });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& ids : found) EXPECT_EQ(ids, expected);
}

TEST(TokenizerFileTest, BadFilesAreErrors) {
  for (const char* bad :
       {"", "{", "[]", "{}", "null", R"({"model": {"type": "Nothing"}})",
        R"({"version":"1.0","added_tokens":[],"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}})"}) {
    const auto tokenizer = Tokenizer::FromJson(bad);
    EXPECT_EQ(tokenizer.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_NE(tokenizer.status().message().find("tokenizer.json"), absl::string_view::npos) << tokenizer.status();
  }
  EXPECT_EQ(Tokenizer::FromJson("{\"a\xFF").status().message(), "tokenizer.json: not UTF-8 at byte 3");
}

TEST(TokenizerFileTest, DeepNestingIsAnError) { EXPECT_FALSE(Tokenizer::FromJson(std::string(1'000'000, '[')).ok()); }

}  // namespace
}  // namespace tersor
