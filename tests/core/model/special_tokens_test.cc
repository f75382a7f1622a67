#include "core/model/special_tokens.h"

#include <cstdio>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/tiny_model.h"
#include "tests/testing/tiny_tokenizer.h"

namespace tersor {
namespace {

using Json = nlohmann::json;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A SentencePiece tokenizer as converters write it: Metaspace, byte fallback, BOS by TemplateProcessing.
Json MetaspaceTokenizer(bool sequence) {
  Json vocabulary = {{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}, {"\u2581", 3}, {"a", 4}, {"\u2581a", 5}};
  for (int byte = 0; byte < 256; ++byte) {
    char name[8];
    std::snprintf(name, sizeof(name), "<0x%02X>", byte);
    vocabulary[name] = 6 + byte;
  }
  Json added = Json::array();
  for (const auto& [id, text] : {std::pair(0, "<unk>"), std::pair(1, "<s>"), std::pair(2, "</s>")}) {
    added.push_back({{"id", id},
                     {"content", text},
                     {"single_word", false},
                     {"lstrip", false},
                     {"rstrip", false},
                     {"normalized", false},
                     {"special", true}});
  }
  const Json post = Json::parse(R"({
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
    "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}})");
  const Json metaspace = {
      {"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", "first"}, {"split", false}};
  const Json merges = Json::array({Json::array({"\u2581", "a"})});
  return {{"version", "1.0"},
          {"added_tokens", added},
          {"pre_tokenizer", metaspace},
          {"post_processor", sequence ? Json{{"type", "Sequence"}, {"processors", Json::array({post})}} : post},
          {"decoder", metaspace},
          {"model",
           {{"type", "BPE"},
            {"unk_token", "<unk>"},
            {"byte_fallback", true},
            {"fuse_unk", true},
            {"vocab", vocabulary},
            {"merges", merges}}}};
}

struct Case {
  ModelSpec spec;
  ModelAssets assets;
  std::unique_ptr<const Tokenizer> tokenizer;

  explicit Case(const std::string& tokenizer_json, const Json& config = nullptr)
      : tokenizer(*Tokenizer::FromJson(tokenizer_json)) {
    spec.bos_id = 1;
    spec.eos_ids = {2};
    spec.pad_id = 3;
    if (!config.is_null()) assets.tokenizer_config_json = config.dump();
  }
  SpecialTokens Tokens() const {
    const auto found = SpecialTokensOf(spec, assets, tokenizer.get());
    EXPECT_TRUE(found.ok()) << found.status();
    return found.value_or(SpecialTokens());
  }
};

TEST(SpecialTokensTest, ThePostProcessorSaysWhatStandsAroundAText) {
  for (const bool sequence : {false, true}) {
    Case one(MetaspaceTokenizer(sequence).dump(), {{"bos_token", "<s>"}, {"eos_token", {{"content", "</s>"}}}});
    // Whatever the flag says: transformers 5 does not ask it where there is a post-processor.
    one.assets.add_bos = false;
    const SpecialTokens tokens = one.Tokens();
    EXPECT_THAT(tokens.frame.before, ElementsAre(1));
    EXPECT_THAT(tokens.frame.after, IsEmpty());
    EXPECT_TRUE(tokens.adds_bos());
    EXPECT_EQ(tokens.eos.id, 2);
    EXPECT_EQ(tokens.frame.Words(), "1 first");
    // 10 is a byte that has no token: byte fallback.
    EXPECT_THAT(*EncodeFramed(*one.tokenizer, tokens.frame, "a\n"), ElementsAre(1, 5, 6 + 10));
    EXPECT_THAT(*EncodeFramed(*one.tokenizer, tokens.frame, ""), ElementsAre(1));
    // A chat template wrote it already.
    EXPECT_EQ(EncodeFramed(*one.tokenizer, tokens.frame, "<s>a")->front(), 1);
    EXPECT_EQ(*EncodeFramed(*one.tokenizer, tokens.frame, "<s>a"), *one.tokenizer->Encode("<s>a"));
  }
}

TEST(SpecialTokensTest, TheConfigurationAsksWhereThePostProcessorAddsNothing) {
  Case one(testing::TinyTokenizerJson(), {{"bos_token", "<|endoftext|>"}, {"eos_token", "<|im_end|>"}});
  EXPECT_TRUE(one.Tokens().frame.empty());
  EXPECT_FALSE(one.Tokens().adds_bos());
  one.assets.add_bos = true;
  EXPECT_THAT(one.Tokens().frame.before, ElementsAre(testing::kTinyBosId));
  EXPECT_TRUE(one.Tokens().adds_bos());
  one.assets.tokenizer_config_json = R"({"eos_token": "<|im_end|>", "add_eos_token": true})";
  EXPECT_THAT(one.Tokens().frame.after, ElementsAre(testing::kTinyEosId));
}

TEST(SpecialTokensTest, NamesGoBeforeTheModelsIds) {
  Case one(testing::TinyTokenizerJson(),
           {{"bos_token", "<|endoftext|>"}, {"eos_token", "<|im_end|>"}, {"pad_token", "<|pad|>"}});
  one.spec.bos_id = 7;
  one.spec.eos_ids = {8, 9};
  const SpecialTokens tokens = one.Tokens();
  EXPECT_EQ(tokens.bos.id, testing::kTinyBosId);
  EXPECT_EQ(tokens.bos.text, "<|endoftext|>");
  EXPECT_EQ(tokens.pad.text, "<|pad|>");
  EXPECT_EQ(tokens.unk.id, -1);
  EXPECT_THAT(tokens.ends, ElementsAre(testing::kTinyEosId, 8, 9));
}

TEST(SpecialTokensTest, TheModelsIdsStandInWhereTheTokenizerIsSilent) {
  Case one(testing::TinyTokenizerJson());
  one.spec.bos_id = testing::kTinyBosId;
  EXPECT_EQ(one.Tokens().bos.text, "<|endoftext|>");
  one.assets.tokenizer_config_json = R"({"bos_token": "<nosuch>"})";
  EXPECT_EQ(one.Tokens().bos.id, testing::kTinyBosId);
  // None is said.
  one.assets.tokenizer_config_json = R"({"bos_token": null})";
  EXPECT_EQ(one.Tokens().bos.id, -1);
  EXPECT_EQ(one.Tokens().prefix().id, 2);
  const auto without = SpecialTokensOf(one.spec, one.assets, nullptr);
  ASSERT_TRUE(without.ok());
  EXPECT_EQ(without->bos.id, testing::kTinyBosId);
  EXPECT_THAT(without->ends, ElementsAre(2));
  one.assets.tokenizer_config_json = "[]";
  EXPECT_FALSE(SpecialTokensOf(one.spec, one.assets, one.tokenizer.get()).ok());
}

}  // namespace
}  // namespace tersor
