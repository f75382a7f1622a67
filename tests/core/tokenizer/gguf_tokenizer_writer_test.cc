#include "core/tokenizer/gguf_tokenizer_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/tokenizer/tokenizer.h"
#include "nlohmann/json.hpp"
#include "tests/testing/tiny_model.h"
#include "tests/testing/tiny_tokenizer.h"

namespace tersor {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<int32_t> Encode(const std::string& tokenizer_json, const std::string& text) {
  const auto tokenizer = Tokenizer::FromJson(tokenizer_json);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return tokenizer.ok() ? (*tokenizer)->Encode(text).value() : std::vector<int32_t>();
}

TEST(GgufTokenizerWriterTest, TinyTokenizerComesBack) {
  const std::string original = testing::TinyTokenizerJson();
  const auto metadata = GgufTokenizerFromJson(original, testing::kTinyVocabulary, "");
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(metadata->model, "gpt2");
  EXPECT_EQ(metadata->tokens.size(), testing::kTinyVocabulary);
  EXPECT_EQ(metadata->token_types[testing::kTinyEosId], kGgufTokenControl);
  const auto rebuilt = TokenizerJsonFromGguf(*metadata);
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
  for (const char* text : {"the cat 1234", "<|im_end|>a\n\n  b", "\xC3\xA9\xF0\x9F\x98\x80"}) {
    EXPECT_EQ(Encode(*rebuilt, text), Encode(original, text)) << text;
  }
}

TEST(GgufTokenizerWriterTest, IdsWithoutATokenAreUnused) {
  const auto metadata = GgufTokenizerFromJson(testing::TinyTokenizerJson(), testing::kTinyVocabulary + 2, "");
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(metadata->tokens.back(), "[PAD273]");
  EXPECT_EQ(metadata->token_types.back(), kGgufTokenUnused);
}

TEST(GgufTokenizerWriterTest, PreTokenizerIsRecognized) {
  const json tiny = json::parse(testing::TinyTokenizerJson());
  const json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}};
  const auto name = [&](json pre_tokenizer, const char* hint) {
    json tokenizer = tiny;
    tokenizer["pre_tokenizer"] = std::move(pre_tokenizer);
    const auto metadata = GgufTokenizerFromJson(tokenizer.dump(), testing::kTinyVocabulary, hint);
    return metadata.ok() ? metadata->pre : std::string(metadata.status().message());
  };
  const json digits = {{"type", "Sequence"},
                       {"pretokenizers", {{{"type", "Digits"}, {"individual_digits", true}}, byte_level}}};
  EXPECT_EQ(name(byte_level, ""), "gpt-2");
  EXPECT_EQ(name(digits, ""), "smollm");
  EXPECT_EQ(name(digits, "starcoder"), "starcoder");
  // A hint that splits otherwise is not believed.
  EXPECT_EQ(name(digits, "llama-bpe"), "smollm");
  EXPECT_THAT(name({{"type", "Whitespace"}}, ""), HasSubstr("no name for pre-tokenizer \"Whitespace\""));
  EXPECT_THAT(name({{"type", "Digits"}, {"individual_digits", true}}, ""), HasSubstr("neither byte-level"));
}

TEST(GgufTokenizerWriterTest, SentencePieceMergesBecomeScores) {
  GgufTokenizerMetadata source;
  source.model = "llama";
  for (const char* token : {"<unk>", "<s>", "</s>", "<0x41>", "a", "b", "c", "ab", "abc"}) {
    source.tokens.push_back(token);
  }
  source.token_types = {kGgufTokenUnknown, kGgufTokenControl, kGgufTokenControl, kGgufTokenByte, 1, 1, 1, 1, 1};
  source.scores = {0, 0, 0, 0, -3, -4, -5, -1, -2};
  source.unknown_id = 0;
  const auto text = TokenizerJsonFromGguf(source);
  ASSERT_TRUE(text.ok()) << text.status();
  const auto metadata = GgufTokenizerFromJson(*text, 9, "");
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(metadata->model, "llama");
  EXPECT_EQ(metadata->unknown_id, 0);
  EXPECT_TRUE(metadata->merges.empty());
  EXPECT_TRUE(metadata->add_space_prefix.value());
  EXPECT_THAT(metadata->token_types, ElementsAre(2, 3, 3, 6, 1, 1, 1, 1, 1));
  EXPECT_GT(metadata->scores[7], metadata->scores[8]);
  EXPECT_GT(metadata->scores[8], metadata->scores[4]);
  EXPECT_EQ(Encode(*TokenizerJsonFromGguf(*metadata), "abc ab"), Encode(*text, "abc ab"));
}

TEST(GgufTokenizerWriterTest, BadTextIsAnError) {
  const auto message = [](const std::string& text) {
    return std::string(GgufTokenizerFromJson(text, 4, "").status().message());
  };
  EXPECT_THAT(message("nonsense"), HasSubstr("not a JSON object"));
  EXPECT_THAT(message(R"({"model": {"type": "Unigram"}})"), HasSubstr("\"Unigram\" cannot be written"));
  EXPECT_THAT(message(R"({"model": {"vocab": 3}})"), HasSubstr("model.vocab is not an object"));
  EXPECT_THAT(message(R"({"model": {"vocab": {"a": 4}}})"), HasSubstr("outside the vocabulary of 4"));
  EXPECT_THAT(message(R"({"model": {"vocab": {"a": -1}}})"), HasSubstr("outside the vocabulary"));
  EXPECT_THAT(message(R"({"model": {"vocab": {"a": 0}, "merges": [3]}})"), HasSubstr("neither a string nor a pair"));
  EXPECT_THAT(message(R"({"model": {"vocab": {"a": 0}, "merges": [["a b", "c"]]}})"), HasSubstr("holds a space"));
  EXPECT_THAT(message(R"({"model": {"vocab": {}}, "added_tokens": [{"id": 0}]})"), HasSubstr("has no content"));
}

}  // namespace
}  // namespace tersor
