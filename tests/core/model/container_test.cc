#include "core/model/container.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/formats/tensor_shard.h"
#include "core/model/model_spec_json.h"
#include "core/tensor/float16.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

// Small, and every kind of thing that a container holds is in it.
Model SmallModel() {
  Model model;
  model.spec.architecture = "llama";
  model.spec.name = "small";
  model.spec.vocabulary = 3;
  model.spec.width = 8;
  model.spec.context_length = 16;
  model.spec.tied = true;
  model.spec.bos_id = 0;
  model.spec.eos_ids = {2};
  LayerSpec layer;
  layer.attention = {.heads = 2, .kv_heads = 1, .head_size = 4};
  layer.inner_width = 8;
  model.spec.layers = {layer};
  std::vector<uint16_t> embedding;
  for (int i = 0; i < 24; ++i) embedding.push_back(FloatToBF16(0.25f * static_cast<float>(i - 12)));
  model.parameters["model.embed_tokens.weight"] =
      *DenseTensor::Create(*Tensor::Own(DType::kBF16, {3, 8}, std::move(embedding)));
  model.parameters["model.norm.weight"] = *DenseTensor::FromFloats({8}, {1, 2, 3, 4, 5, 6, 7, 8});
  std::vector<uint8_t> codes;
  for (int i = 0; i < 64; ++i) codes.push_back(static_cast<uint8_t>(i * 7 % 8));
  std::vector<uint16_t> scales;
  for (int i = 0; i < 16; ++i) scales.push_back(FloatToF16(0.125f * static_cast<float>(i + 1)));
  const std::vector<uint8_t> zeros(16, 3);
  model.parameters["model.layers.0.mlp.up_proj.weight"] = *GroupIntTensor::Create({8, 8, 3, 4}, codes, scales, zeros);
  model.parameters["model.layers.0.mlp.down_proj.weight"] = *GroupIntTensor::Create({8, 8, 4, 4}, codes, scales, {});
  model.assets.tokenizer_json = "{\"version\": \"1.0\"}";
  model.assets.chat_template = "{{ messages }}";
  model.assets.licence_text = "Do as you like.\n";
  model.assets.licence_id = "apache-2.0";
  model.assets.gguf_pre_tokenizer = "smollm";
  model.assets.add_bos = true;
  return model;
}

const ContainerOrigin kOrigin = {"0.1.0", "abc", "gguf", "def", 1234};

class ContainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(::testing::TempDir()) /
            absl::StrCat("container-", ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
    folder_ = root_ / "model";
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write() {
    absl::StatusOr<v1::ArtifactInfo> info = WriteContainer(SmallModel(), kOrigin, folder_);
    ASSERT_TRUE(info.ok()) << info.status();
  }
  void Tamper(const std::function<void(Json&)>& change) {
    Json manifest = Json::parse(*ReadFile(folder_ / "tersor.json"));
    change(manifest);
    ASSERT_TRUE(WriteFileAtomically(folder_ / "tersor.json", manifest.dump()).ok());
  }
  absl::Status ReadStatus(bool verify_hash = false) { return ReadContainer(folder_, verify_hash).status(); }

  fs::path root_;
  fs::path folder_;
};

TEST_F(ContainerTest, RoundTrips) {
  absl::StatusOr<v1::ArtifactInfo> info = WriteContainer(SmallModel(), kOrigin, folder_);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->name(), "tersor");
  EXPECT_EQ(info->path(), "model");
  EXPECT_THAT(info->verification(), HasSubstr("4 parameters"));
  EXPECT_TRUE(IsContainer(folder_));
  absl::StatusOr<Container> container = ReadContainer(folder_, /*verify_hash=*/true);
  ASSERT_TRUE(container.ok()) << container.status();
  const Model expected = SmallModel();
  const Model& found = container->model;
  EXPECT_TRUE(CompareEncodedTensors(expected.parameters, found.parameters).ok());
  EXPECT_EQ(SpecToJson(found.spec), SpecToJson(expected.spec));
  EXPECT_EQ(found.assets.tokenizer_json, expected.assets.tokenizer_json);
  EXPECT_EQ(found.assets.chat_template, expected.assets.chat_template);
  EXPECT_EQ(found.assets.licence_text, expected.assets.licence_text);
  EXPECT_EQ(found.assets.licence_id, "apache-2.0");
  EXPECT_EQ(found.assets.gguf_pre_tokenizer, "smollm");
  EXPECT_TRUE(found.assets.add_bos);
  EXPECT_EQ(found.source.format, "tersor");
  EXPECT_EQ(container->origin.source_sha256, "def");
  EXPECT_EQ(container->origin.source_weight_bytes, 1234);
  EXPECT_EQ(*ContainerBytes(folder_),
            fs::file_size(folder_ / "tersor.json") + fs::file_size(folder_ / "weights.safetensors"));
  EXPECT_FALSE(fs::exists(folder_ / "generation_config.json"));
}

TEST_F(ContainerTest, ReplacesAnEarlierOneAndLeavesNothingElse) {
  Write();
  Write();
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), fs::directory_iterator()), 1);
}

// The bytes of version 1 never change: this folder was written once and is read for good.
TEST_F(ContainerTest, GoldenFolderReadsAndIsWrittenTheSame) {
  const fs::path golden = testing::FixturesPath() / "container_v1";
  absl::StatusOr<Container> container = ReadContainer(golden, /*verify_hash=*/true);
  ASSERT_TRUE(container.ok()) << container.status();
  EXPECT_TRUE(CompareEncodedTensors(SmallModel().parameters, container->model.parameters).ok());
  Write();
  for (const char* file : {"tersor.json", "weights.safetensors"}) {
    EXPECT_EQ(*ReadFile(folder_ / file), *ReadFile(golden / file)) << file;
  }
}

TEST_F(ContainerTest, NewerVersionIsRefused) {
  Write();
  Tamper([](Json& manifest) { manifest["version"] = 3; });
  EXPECT_EQ(ReadStatus().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(ReadStatus().message(), HasSubstr("version 3; this program reads up to 2"));
}

TEST_F(ContainerTest, HostileManifestsAreRefusedByName) {
  const std::vector<std::pair<std::function<void(Json&)>, std::string>> cases = {
      {[](Json& m) { m["format"] = "zip"; }, "format is \"zip\""},
      {[](Json& m) { m.erase("version"); }, "has no /version"},
      {[](Json& m) { m["version"] = "1"; }, "/version is not a count"},
      {[](Json& m) { m["version"] = 0; }, "version is 0"},
      {[](Json& m) { m["source"] = 3; }, "has no /source/format"},
      {[](Json& m) { m["spec"]["layers"][0]["attention"]["heads"] = -2; }, "spec.layers[0].attention heads is -2"},
      {[](Json& m) { m["assets"]["add_bos"] = "yes"; }, "/assets/add_bos is neither"},
      {[](Json& m) { m["ties"] = Json::array(); }, "ties contradict"},
      {[](Json& m) { m["weights"]["file"] = "../weights.safetensors"; }, "is unknown"},
      {[](Json& m) { m["weights"]["bytes"] = 5; }, "the manifest says 5"},
      {[](Json& m) { m["parameters"].erase("model.norm.weight"); }, "belongs to no parameter"},
      {[](Json& m) { m["parameters"]["model.norm.weight"]["shape"] = {9}; }, "model.norm.weight"},
      {[](Json& m) { m.erase("parameters"); }, "has no /parameters"},
  };
  for (const auto& [change, message] : cases) {
    Write();
    Tamper(change);
    EXPECT_EQ(ReadStatus().code(), absl::StatusCode::kInvalidArgument) << message;
    EXPECT_THAT(ReadStatus().message(), AllOf(HasSubstr("tersor.json"), HasSubstr(message)));
  }
}

TEST_F(ContainerTest, DamagedFilesAreFound) {
  Write();
  const fs::path weights = folder_ / "weights.safetensors";
  {
    std::fstream file(weights, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-1, std::ios::end);
    file.put('\x55');
  }
  EXPECT_TRUE(ReadStatus().ok());
  EXPECT_EQ(ReadStatus(/*verify_hash=*/true).code(), absl::StatusCode::kDataLoss);
  fs::resize_file(weights, fs::file_size(weights) - 1);
  EXPECT_THAT(ReadStatus().message(), HasSubstr("the manifest says"));
  fs::remove(weights);
  EXPECT_EQ(ReadStatus().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(WriteFileAtomically(folder_ / "tersor.json", "{").ok());
  EXPECT_THAT(ReadStatus().message(), HasSubstr("not valid JSON"));
  fs::remove(folder_ / "tersor.json");
  EXPECT_FALSE(IsContainer(folder_));
  EXPECT_EQ(ReadStatus().code(), absl::StatusCode::kNotFound);
}

TEST_F(ContainerTest, TiedHeadMayNotBeAParameter) {
  Model model = SmallModel();
  model.parameters["lm_head.weight"] = model.parameters["model.embed_tokens.weight"];
  EXPECT_THAT(WriteContainer(model, kOrigin, folder_).status().message(), HasSubstr("is tied and yet"));
  EXPECT_TRUE(fs::is_empty(root_));
}

}  // namespace
}  // namespace tersor
