#include "core/tokenizer/gguf_tokenizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/tokenizer/gguf_pre_tokenizer.h"
#include "core/tokenizer/tokenizer.h"
#include "nlohmann/json.hpp"
#include "tests/testing/tiny_tokenizer.h"

namespace tersor {
namespace {

using Ids = std::vector<int32_t>;

// The tiny tokenizer's alphabet with merges that show where the pre-tokenizer split.
GgufTokenizerMetadata ByteLevelMetadata(const std::string& pre) {
  const nlohmann::json tiny = nlohmann::json::parse(testing::TinyTokenizerJson());
  GgufTokenizerMetadata metadata;
  metadata.model = "gpt2";
  metadata.pre = pre;
  metadata.tokens.resize(260);
  metadata.token_types.assign(260, kGgufTokenNormal);
  for (const auto& [token, id] : tiny["model"]["vocab"].items()) {
    if (id < 260) metadata.tokens[id] = token;
    if (id < 4) metadata.token_types[id] = kGgufTokenControl;
  }
  for (const char* merge : {"1 2", "12 3", "123 4", "' S", "'S x"}) {
    std::string token = merge;
    token.erase(token.find(' '), 1);
    metadata.tokens.push_back(token);
    metadata.token_types.push_back(kGgufTokenNormal);
    metadata.merges.push_back(merge);
  }
  metadata.tokens.push_back("<tool>");
  metadata.token_types.push_back(kGgufTokenUserDefined);
  metadata.bos_id = 0;
  metadata.eos_id = 2;
  return metadata;
}

// <unk> <s> </s>, the 256 bytes, then pieces with the scores of a SentencePiece model.
GgufTokenizerMetadata SentencePieceMetadata() {
  GgufTokenizerMetadata metadata;
  metadata.model = "llama";
  const auto add = [&](const std::string& token, float score, GgufTokenType type) {
    metadata.tokens.push_back(token);
    metadata.scores.push_back(score);
    metadata.token_types.push_back(type);
  };
  add("<unk>", 0, kGgufTokenUnknown);
  add("<s>", 0, kGgufTokenControl);
  add("</s>", 0, kGgufTokenControl);
  for (int byte = 0; byte < 256; ++byte) add(absl::StrFormat("<0x%02X>", byte), 0, kGgufTokenByte);
  float score = 0;
  for (const char* piece : {"he", "ll",
                            "\xE2\x96\x81"
                            "he",
                            "llo",
                            "\xE2\x96\x81"
                            "hello",
                            "\xE2\x96\x81", "h", "e", "l", "o", "w", "\xE2\x96\x81w"}) {
    add(piece, score--, kGgufTokenNormal);
  }
  metadata.bos_id = 1;
  metadata.eos_id = 2;
  metadata.unknown_id = 0;
  return metadata;
}

std::unique_ptr<const Tokenizer> Build(const GgufTokenizerMetadata& metadata) {
  const auto text = TokenizerJsonFromGguf(metadata);
  EXPECT_TRUE(text.ok()) << text.status();
  if (!text.ok()) return nullptr;
  auto tokenizer = Tokenizer::FromJson(*text);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return tokenizer.ok() ? *std::move(tokenizer) : nullptr;
}

// The tokens of `text`, decoded one by one.
std::vector<std::string> Pieces(const Tokenizer& tokenizer, absl::string_view text) {
  std::vector<std::string> pieces;
  const Ids ids = tokenizer.Encode(text).value();
  for (int32_t id : ids) pieces.push_back(tokenizer.Decode(Ids{id}).value());
  return pieces;
}

using Texts = std::vector<std::string>;

TEST(GgufTokenizerTest, EachPreTokenizerSplitsItsWay) {
  struct Case {
    const char* pre;
    Texts digits;   // of "1234"
    Texts capital;  // of "'Sx"
    int composed;   // tokens of "e" and a combining acute
  };
  const Case cases[] = {
      {"", {"1234"}, {"'", "S", "x"}, 3},
      {"default", {"1234"}, {"'", "S", "x"}, 3},
      {"gpt-2", {"1234"}, {"'", "S", "x"}, 3},
      {"smollm", {"1", "2", "3", "4"}, {"'", "S", "x"}, 3},
      {"starcoder", {"1", "2", "3", "4"}, {"'", "S", "x"}, 3},
      {"llama-bpe", {"123", "4"}, {"'S", "x"}, 3},
      {"qwen2", {"1", "2", "3", "4"}, {"'S", "x"}, 2},
      {"deepseek-r1-qwen", {"1", "2", "3", "4"}, {"'S", "x"}, 2},
      {"smaug-bpe", {"123", "4"}, {"'S", "x"}, 3},
      {"chatglm-bpe", {"123", "4"}, {"'S", "x"}, 3},
      {"falcon3", {"123", "4"}, {"'S", "x"}, 3},
      {"command-r", {"1", "2", "3", "4"}, {"'", "S", "x"}, 2},
      {"olmo", {"1234"}, {"'", "S", "x"}, 2},
      {"tekken", {"1", "2", "3", "4"}, {"'Sx"}, 3},
      {"gpt-4o", {"123", "4"}, {"'Sx"}, 3},
      {"seed-coder", {"1", "2", "3", "4"}, {"'S", "x"}, 3},
      {"deepseek-coder", {"1", "2", "3", "4"}, {"'", "S", "x"}, 3},
      {"deepseek-v3", {"123", "4"}, {"'Sx"}, 3},
  };
  for (const Case& item : cases) {
    const auto tokenizer = Build(ByteLevelMetadata(item.pre));
    ASSERT_NE(tokenizer, nullptr) << item.pre;
    EXPECT_EQ(Pieces(*tokenizer, "1234"), item.digits) << item.pre;
    EXPECT_EQ(Pieces(*tokenizer, "'Sx"), item.capital) << item.pre;
    EXPECT_EQ(Pieces(*tokenizer, "e\xCC\x81").size(), item.composed) << item.pre;
  }
}

TEST(GgufTokenizerTest, EveryPreTokenizerIsOneThatTextComesBackFrom) {
  const std::string text =
      "def f(x):\n    return {\"a\": 12345.678}  # 100%\r\n\r\n It's HTTPServer, don't \xE4\xBD\xA0\xE5\xA5\xBD "
      "\xED\x95\x9C\xEA\xB8\x80 na\xC3\xAFve \xF0\x9F\x98\x80";
  for (const GgufPreTokenizer& row : GgufPreTokenizers()) {
    const auto tokenizer = Build(ByteLevelMetadata(std::string(row.name)));
    ASSERT_NE(tokenizer, nullptr) << row.name;
    EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text).value()).value(), text) << row.name;
  }
}

TEST(GgufTokenizerTest, FindsControlAndUserDefinedTokens) {
  const auto tokenizer = Build(ByteLevelMetadata("smollm"));
  ASSERT_NE(tokenizer, nullptr);
  const Ids ids = tokenizer->Encode("a<tool><|im_end|>").value();
  EXPECT_EQ(ids, (Ids{4 + 'a', 265, 2}));
  // A user-defined token is text of its own; only control tokens are special.
  EXPECT_EQ(tokenizer->Decode(ids, /*skip_special=*/true).value(), "a<tool>");
}

TEST(GgufTokenizerTest, WithoutTokenTypesTheSpecialIdsAreSpecial) {
  GgufTokenizerMetadata metadata = ByteLevelMetadata("smollm");
  metadata.token_types.clear();
  const auto tokenizer = Build(metadata);
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->Encode("<|im_end|>").value(), Ids{2});
  EXPECT_GT(tokenizer->Encode("<|im_start|>").value().size(), 1);
}

TEST(GgufTokenizerTest, SentencePiecePrefixesMergesAndFallsBackToBytes) {
  const auto tokenizer = Build(SentencePieceMetadata());
  ASSERT_NE(tokenizer, nullptr);
  const auto id = [&](absl::string_view token) { return static_cast<int32_t>(tokenizer->TokenToId(token)); };
  EXPECT_EQ(tokenizer->Encode("hello w").value(), (Ids{id("\xE2\x96\x81hello"), id("\xE2\x96\x81w")}));
  EXPECT_EQ(tokenizer->Encode("hello\xC3\xA9").value(), (Ids{id("\xE2\x96\x81hello"), id("<0xC3>"), id("<0xA9>")}));
  EXPECT_EQ(tokenizer->Encode("</s>").value(), Ids{2});
  for (const char* text : {"hello w", "hello\xC3\xA9", " hello", "x \xF0\x9F\x98\x80"}) {
    EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(text).value()).value(), text);
  }
}

TEST(GgufTokenizerTest, SpacesAfterPhi3sSpecialTokensAreTheirs) {
  for (const char* name : {"phi3", "Phi-3-mini-4k-instruct", "my-PHI3"}) EXPECT_TRUE(IsGgufPhi3Name(name)) << name;
  for (const char* name : {"", "phi", "phi-2", "Phi-4-mini"}) EXPECT_FALSE(IsGgufPhi3Name(name)) << name;
  GgufTokenizerMetadata metadata = SentencePieceMetadata();
  const auto plain = Build(metadata);
  metadata.is_phi3 = true;
  const auto phi3 = Build(metadata);
  ASSERT_NE(phi3, nullptr);
  ASSERT_NE(plain, nullptr);
  EXPECT_EQ(phi3->Encode("</s> \n hello").value(), plain->Encode("</s>hello").value());
  EXPECT_NE(phi3->Encode("</s> \n hello").value(), plain->Encode("</s> \n hello").value());
  EXPECT_EQ(phi3->Encode("<s>  hello<unk> w").value(), plain->Encode("<s>  hello<unk> w").value());
}

TEST(GgufTokenizerTest, SentencePieceWithoutSpacePrefix) {
  GgufTokenizerMetadata metadata = SentencePieceMetadata();
  metadata.add_space_prefix = false;
  const auto tokenizer = Build(metadata);
  ASSERT_NE(tokenizer, nullptr);
  EXPECT_EQ(tokenizer->Encode("hello").value().size(), 2);
  EXPECT_EQ(tokenizer->Decode(tokenizer->Encode(" hello").value()).value(), " hello");
}

TEST(GgufTokenizerTest, WritesWhoAddsBosAndEos) {
  const auto processor = [](const GgufTokenizerMetadata& metadata) {
    return nlohmann::json::parse(TokenizerJsonFromGguf(metadata).value())["post_processor"];
  };
  GgufTokenizerMetadata metadata = ByteLevelMetadata("smollm");
  EXPECT_TRUE(processor(metadata).is_null());
  metadata.pre = "llama-bpe";
  EXPECT_EQ(processor(metadata)["single"][0]["SpecialToken"]["id"], "<|endoftext|>");
  metadata.add_bos = false;
  EXPECT_TRUE(processor(metadata).is_null());
  metadata.add_eos = true;
  EXPECT_EQ(processor(metadata)["single"][1]["SpecialToken"]["id"], "<|im_end|>");
  EXPECT_EQ(processor(SentencePieceMetadata())["special_tokens"]["<s>"]["ids"], nlohmann::json({1}));
}

TEST(GgufTokenizerTest, KnowsWhoAddsBosWhereTheFileDoesNotSay) {
  GgufTokenizerMetadata metadata = ByteLevelMetadata("llama-bpe");
  EXPECT_TRUE(GgufTokenizerAddsBos(metadata));
  metadata.pre = "qwen2";
  EXPECT_FALSE(GgufTokenizerAddsBos(metadata));
  metadata.add_bos = true;
  EXPECT_TRUE(GgufTokenizerAddsBos(metadata));
  metadata.bos_id = -1;
  EXPECT_FALSE(GgufTokenizerAddsBos(metadata));
  EXPECT_TRUE(GgufTokenizerAddsBos(SentencePieceMetadata()));
}

TEST(GgufTokenizerTest, ExactlyTheFaultIsNamed) {
  struct Case {
    const char* message;
    void (*spoil)(GgufTokenizerMetadata&);
  };
  const Case cases[] = {
      {"unknown tokenizer model \"wordpiece\"; known are gpt2", [](auto& m) { m.model = "wordpiece"; }},
      {"unknown pre-tokenizer \"klingon\" (", [](auto& m) { m.pre = "klingon"; }},
      {"tokenizer.ggml.tokens is missing", [](auto& m) { m.tokens.clear(); }},
      {"tokenizer.ggml.merges is missing", [](auto& m) { m.merges.clear(); }},
      {"tokenizer.ggml.merges[0]", [](auto& m) { m.merges[0] = "12"; }},
      {"tokenizer.ggml.token_type has 3 entries for 266 tokens", [](auto& m) { m.token_types.resize(3); }},
      {"tokenizer.ggml.token_type[7] is -1", [](auto& m) { m.token_types[7] = -1; }},
      {"tokenizer.ggml.bos_token_id is 266, but there are 266 tokens", [](auto& m) { m.bos_id = 266; }},
      {"tokenizer.ggml.eos_token_id is -7", [](auto& m) { m.eos_id = -7; }},
      {"tokenizer.ggml.tokens[5]: not UTF-8 at byte 0", [](auto& m) { m.tokens[5] = "\xFF"; }},
      {"tokenizer.ggml.tokens: 100 and 265 are both", [](auto& m) { m.tokens[265] = m.tokens[100]; }},
  };
  for (const Case& item : cases) {
    GgufTokenizerMetadata metadata = ByteLevelMetadata("smollm");
    item.spoil(metadata);
    const auto text = TokenizerJsonFromGguf(metadata);
    EXPECT_EQ(text.status().code(), absl::StatusCode::kInvalidArgument) << item.message;
    EXPECT_NE(text.status().message().find(item.message), absl::string_view::npos) << text.status();
  }
  GgufTokenizerMetadata llama = SentencePieceMetadata();
  llama.scores.clear();
  EXPECT_FALSE(TokenizerJsonFromGguf(llama).ok());
}

}  // namespace
}  // namespace tersor
