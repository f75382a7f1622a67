// A "llama" tokenizer rebuilt from GGUF metadata against SentencePiece itself (tests/tools/record_sentencepiece.py).
#include <gtest/gtest.h>

#include "core/base/atomic_file.h"
#include "core/tokenizer/gguf_tokenizer.h"
#include "core/tokenizer/tokenizer.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using Ids = std::vector<int32_t>;

TEST(SentencePieceTest, SameIdsAndText) {
  const auto recorded = nlohmann::json::parse(ReadFile(testing::FixturesPath() / "sentencepiece.json").value());
  GgufTokenizerMetadata metadata;
  metadata.model = "llama";
  metadata.tokens = recorded["tokens"].get<std::vector<std::string>>();
  metadata.scores = recorded["scores"].get<std::vector<float>>();
  metadata.token_types = recorded["token_types"].get<std::vector<int32_t>>();
  metadata.unknown_id = 0;
  metadata.bos_id = 1;
  metadata.eos_id = 2;
  const auto text = TokenizerJsonFromGguf(metadata);
  ASSERT_TRUE(text.ok()) << text.status();
  const auto tokenizer = Tokenizer::FromJson(*text);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  for (const auto& item : recorded["cases"]) {
    const auto ids = (*tokenizer)->Encode(item["text"].get<std::string>());
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_EQ(*ids, item["ids"].get<Ids>()) << item["text"];
    EXPECT_EQ((*tokenizer)->Decode(*ids).value(), item["decoded"].get<std::string>()) << item["text"];
  }
}

}  // namespace
}  // namespace tersor
