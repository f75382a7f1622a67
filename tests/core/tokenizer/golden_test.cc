// The demo model's tokenizer, rebuilt from its GGUF file, against what the reference tokenizer answered.
#include <gtest/gtest.h>

#include <fstream>

#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "core/formats/gguf_reader.h"
#include "core/tokenizer/gguf_tokenizer.h"
#include "core/tokenizer/tokenizer.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using Ids = std::vector<int32_t>;

GgufTokenizerMetadata ReadMetadata(const GgufMetadata& gguf) {
  GgufTokenizerMetadata metadata;
  metadata.model = gguf.String("tokenizer.ggml.model").value();
  metadata.pre = gguf.String("tokenizer.ggml.pre").value();
  metadata.tokens = gguf.Strings("tokenizer.ggml.tokens").value();
  metadata.merges = gguf.Strings("tokenizer.ggml.merges").value();
  const auto types = gguf.Integers("tokenizer.ggml.token_type").value();
  metadata.token_types.assign(types.begin(), types.end());
  metadata.bos_id = gguf.Integer("tokenizer.ggml.bos_token_id").value();
  metadata.eos_id = gguf.Integer("tokenizer.ggml.eos_token_id").value();
  metadata.add_bos = gguf.Bool("tokenizer.ggml.add_bos_token").value();
  return metadata;
}

class GoldenTokenizerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto model = testing::DemoModelPath();
    const auto shared = testing::SharedPath();
    if (!model.has_value()) GTEST_SKIP() << "the demo model is missing: run scripts/fetch_model.sh";
    if (!shared.has_value()) GTEST_SKIP() << testing::kNoSharedFolder;
    golden_ = *shared / "golden/smollm2-135m";
    data_ = *shared / "data/text";
    const auto gguf = ReadGguf(*model);
    ASSERT_TRUE(gguf.ok()) << gguf.status();
    const auto text = TokenizerJsonFromGguf(ReadMetadata(gguf->metadata));
    ASSERT_TRUE(text.ok()) << text.status();
    auto tokenizer = Tokenizer::FromJson(*text);
    ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
    tokenizer_ = *std::move(tokenizer);
  }

  std::filesystem::path golden_;
  std::filesystem::path data_;
  std::unique_ptr<const Tokenizer> tokenizer_;
};

TEST_F(GoldenTokenizerTest, EveryCase) {
  std::ifstream cases(golden_ / "tokenizer_cases.jsonl");
  std::string line;
  int count = 0;
  while (std::getline(cases, line)) {
    const nlohmann::json item = nlohmann::json::parse(line);
    const auto ids = tokenizer_->Encode(item["text"].get<std::string>());
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_EQ(*ids, item["ids"].get<Ids>()) << line;
    EXPECT_EQ(tokenizer_->Decode(*ids).value(), item["decoded"].get<std::string>()) << line;
    ++count;
  }
  EXPECT_EQ(count, 229);
}

TEST_F(GoldenTokenizerTest, WholeFilesInOneCall) {
  const auto meta = nlohmann::json::parse(ReadFile(golden_ / "wikitext2_tokens_meta.json").value());
  const std::string test = ReadFile(data_ / "wikitext2_tokens_test.txt").value();
  const Ids ids = tokenizer_->Encode(test).value();
  EXPECT_EQ(ids.size(), meta["n"].get<size_t>());
  const absl::string_view bytes(reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(int32_t));
  EXPECT_EQ(Sha256Hex(bytes), meta["sha256_le_int32"].get<std::string>());
  EXPECT_EQ(tokenizer_->Decode(ids).value(), test);

  const std::string valid = ReadFile(data_ / "wikitext2_tokens_valid.txt").value();
  EXPECT_EQ(tokenizer_->Encode(valid).value().size(), meta["valid_n"].get<size_t>());
}

TEST_F(GoldenTokenizerTest, VocabularyAndSpecials) {
  EXPECT_EQ(tokenizer_->vocabulary(), 49152);
  EXPECT_EQ(tokenizer_->TokenToId("<|im_end|>"), 2);
}

}  // namespace
}  // namespace tersor
