#include "tests/testing/tiny_model.h"

#include <cmath>
#include <cstring>

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/tiny_tokenizer.h"

namespace tersor::testing {
namespace {

std::filesystem::path Folder(const char* name) {
  return std::filesystem::path(::testing::TempDir()) / "tersor_tiny_model_test" / name;
}

nlohmann::json Header(const std::string& bytes) {
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  return nlohmann::json::parse(bytes.substr(8, length));
}

TEST(TinyModelTest, WritesTheSameBytesForTheSameOptions) {
  ASSERT_TRUE(WriteTinyModel(Folder("a")).ok());
  ASSERT_TRUE(WriteTinyModel(Folder("b")).ok());
  ASSERT_TRUE(WriteTinyModel(Folder("c"), {.seed = 2}).ok());
  const std::string a = *ReadFile(Folder("a") / "model.safetensors");
  EXPECT_EQ(a, *ReadFile(Folder("b") / "model.safetensors"));
  EXPECT_NE(a, *ReadFile(Folder("c") / "model.safetensors"));
}

TEST(TinyModelTest, TableCoversTheFileAndTiesLeaveOutTheHead) {
  ASSERT_TRUE(WriteTinyModel(Folder("tied"), {.layers = 3}).ok());
  const std::string bytes = *ReadFile(Folder("tied") / "model.safetensors");
  const nlohmann::json header = Header(bytes);
  EXPECT_EQ(header.size(), 1 + 1 + 3 * 9 + 1);
  EXPECT_FALSE(header.contains("lm_head.weight"));
  const uint64_t end = header["model.norm.weight"]["data_offsets"][1];
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof(length));
  EXPECT_EQ(8 + length + end, bytes.size());

  ASSERT_TRUE(WriteTinyModel(Folder("untied"), {.tied = false, .dtype = DType::kBF16}).ok());
  const nlohmann::json untied = Header(*ReadFile(Folder("untied") / "model.safetensors"));
  EXPECT_EQ(untied["lm_head.weight"]["dtype"], "BF16");
  EXPECT_EQ(untied["lm_head.weight"]["shape"], nlohmann::json({kTinyVocabulary, 64}));
}

TEST(TinyModelTest, ShardsAreListedInTheIndex) {
  ASSERT_TRUE(WriteTinyModel(Folder("sharded"), {.sharded = true}).ok());
  const nlohmann::json index = nlohmann::json::parse(*ReadFile(Folder("sharded") / "model.safetensors.index.json"));
  EXPECT_EQ(index["weight_map"].size(), 1 + 2 * 9 + 1);
  for (const auto& [name, file] : index["weight_map"].items()) {
    EXPECT_TRUE(Header(*ReadFile(Folder("sharded") / std::string(file))).contains(name)) << name;
  }
}

TEST(TinyModelTest, TokenizerHasOneIdForEveryEntry) {
  const nlohmann::json vocabulary = nlohmann::json::parse(TinyTokenizerJson())["model"]["vocab"];
  EXPECT_EQ(vocabulary.size(), kTinyVocabulary);
  std::vector<int> ids;
  for (const auto& [token, id] : vocabulary.items()) ids.push_back(id);
  std::sort(ids.begin(), ids.end());
  for (int i = 0; i < kTinyVocabulary; ++i) EXPECT_EQ(ids[i], i);
  EXPECT_EQ(vocabulary["<|im_end|>"], kTinyEosId);
  EXPECT_EQ(vocabulary["<|endoftext|>"], kTinyBosId);
}

TEST(TinyModelTest, RefusesOptionsThatDoNotFit) {
  EXPECT_FALSE(WriteTinyModel(Folder("bad"), {.width = 65}).ok());
  EXPECT_FALSE(WriteTinyModel(Folder("bad"), {.kv_heads = 3}).ok());
  EXPECT_FALSE(WriteTinyModel(Folder("bad"), {.dtype = DType::kI8}).ok());
}

}  // namespace
}  // namespace tersor::testing
