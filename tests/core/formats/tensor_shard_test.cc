#include "core/formats/tensor_shard.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/encoding/dense_tensor.h"
#include "core/encoding/group_int_tensor.h"
#include "core/tensor/float16.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

EncodedTensors SomeTensors() {
  EncodedTensors tensors;
  tensors["a.norm"] = *DenseTensor::FromFloats({3}, {1, 2, 3});
  const std::vector<uint8_t> codes = {0, 15, 7, 8, 1, 2, 3, 4};
  const std::vector<uint16_t> scales = {FloatToF16(0.5f), FloatToF16(-0.25f), FloatToF16(1.0f), FloatToF16(2.0f)};
  const std::vector<uint8_t> zeros = {1, 2, 3, 4};
  tensors["a.weight"] = *GroupIntTensor::Create({2, 4, 4, 2}, codes, scales, zeros);
  tensors["b.weight"] = *GroupIntTensor::Create({2, 4, 4, 2}, codes, scales, {});
  return tensors;
}

class TensorShardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              absl::StrCat("tensor-shard-", ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    path_ = folder_ / "x.safetensors";
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Rewrites the shard's header through `change`, keeping its tensors.
  void Tamper(const std::function<void(nlohmann::json&)>& change) {
    const EncodedTensors tensors = SomeTensors();
    nlohmann::json header = {{"version", 1}, {"tensors", DescribeTensors(tensors)}, {"extra", nullptr}};
    change(header);
    ASSERT_TRUE(WriteEncodedTensors(path_, tensors, {{"tersor.shard", header.dump()}}).ok());
  }
  absl::Status ReadStatus() { return ReadTensorShard(path_).status(); }

  fs::path folder_;
  fs::path path_;
};

TEST_F(TensorShardTest, RoundTrips) {
  const EncodedTensors tensors = SomeTensors();
  const nlohmann::json extra = {{"block", 7}, {"notes", {"one", "two"}}};
  ASSERT_TRUE(WriteTensorShard(path_, tensors, extra).ok());
  absl::StatusOr<TensorShard> shard = ReadTensorShard(path_);
  ASSERT_TRUE(shard.ok()) << shard.status();
  EXPECT_EQ(shard->extra, extra);
  EXPECT_TRUE(CompareEncodedTensors(tensors, shard->tensors).ok());
  EXPECT_EQ(shard->tensors.at("a.weight")->Decode(), tensors.at("a.weight")->Decode());
  EXPECT_EQ(shard->tensors.at("a.weight")->encoding(), "group-int");
}

TEST_F(TensorShardTest, SameTensorsGiveSameBytes) {
  ASSERT_TRUE(WriteTensorShard(path_, SomeTensors(), 1).ok());
  ASSERT_TRUE(WriteTensorShard(folder_ / "y", SomeTensors(), 1).ok());
  EXPECT_EQ(*ReadFile(path_), *ReadFile(folder_ / "y"));
}

TEST_F(TensorShardTest, CompareNamesTheDifference) {
  EncodedTensors other = SomeTensors();
  other["a.norm"] = *DenseTensor::FromFloats({3}, {1, 2, 3.0000002f});
  EXPECT_THAT(CompareEncodedTensors(SomeTensors(), other).message(), HasSubstr("\"a.norm\" reads back differently"));
  other.erase("a.norm");
  EXPECT_THAT(CompareEncodedTensors(SomeTensors(), other).message(), HasSubstr("\"a.norm\" was not written"));
  EXPECT_THAT(CompareEncodedTensors(other, SomeTensors()).message(), HasSubstr("\"a.norm\" is too many"));
}

TEST_F(TensorShardTest, HostileTablesAreRefusedByName) {
  using Json = nlohmann::json;
  const std::vector<std::pair<std::function<void(Json&)>, std::string>> cases = {
      {[](Json& h) { h["tensors"]["a.weight"]["encoding"] = "magic"; }, "\"a.weight\": unknown encoding \"magic\""},
      {[](Json& h) { h["tensors"]["a.weight"]["encoding"] = 3; }, "\"a.weight\": has no encoding"},
      {[](Json& h) {
         h["tensors"]["a.weight"]["shape"] = {4, 4};
       },
       "\"a.weight\""},
      {[](Json& h) {
         h["tensors"]["a.weight"]["shape"] = {-1, 4};
       },
       "\"a.weight\": impossible dimension -1"},
      {[](Json& h) {
         h["tensors"]["a.weight"]["shape"] = {uint64_t{1} << 60, uint64_t{1} << 60};
       },
       "too large"},
      {[](Json& h) {
         h["tensors"]["a.weight"]["shape"] = {1, 1, 1};
       },
       "1 or 2 dimensions"},
      {[](Json& h) { h["tensors"]["a.weight"]["parameters"]["bits"] = 8; }, "\"a.weight\""},
      {[](Json& h) { h["tensors"]["a.weight"]["parameters"] = 3; }, "\"a.weight\": has no parameters"},
      {[](Json& h) { h["tensors"]["a.weight"]["fields"].push_back("codes"); }, "\"codes\" is missing or taken twice"},
      {[](Json& h) { h["tensors"]["a.weight"]["fields"] = {"../codes"}; }, "\"../codes\" is missing"},
      {[](Json& h) { h["tensors"]["a.weight"]["fields"] = {1}; }, "not a string"},
      {[](Json& h) { h["tensors"].erase("a.weight"); }, "belongs to no parameter"},
      {[](Json& h) { h["tensors"]["a.norm"] = 1; }, "\"a.norm\": its description is not an object"},
      {[](Json& h) { h["tensors"] = Json::array(); }, "table of parameters is not an object"},
      {[](Json& h) { h.erase("version"); }, "without a version"},
      {[](Json& h) { h.erase("extra"); }, "without tensors or extra"},
  };
  for (const auto& [change, message] : cases) {
    Tamper(change);
    EXPECT_EQ(ReadStatus().code(), absl::StatusCode::kInvalidArgument) << message;
    EXPECT_THAT(ReadStatus().message(), AllOf(HasSubstr("x.safetensors"), HasSubstr(message)));
  }
}

TEST_F(TensorShardTest, NewerVersionIsRefused) {
  Tamper([](nlohmann::json& header) { header["version"] = 2; });
  EXPECT_EQ(ReadStatus().code(), absl::StatusCode::kUnimplemented);
  EXPECT_THAT(ReadStatus().message(), HasSubstr("version 2; this program reads up to 1"));
}

TEST_F(TensorShardTest, OtherSafetensorsAreNotShards) {
  ASSERT_TRUE(WriteEncodedTensors(path_, SomeTensors(), {}).ok());
  EXPECT_THAT(ReadStatus().message(), HasSubstr("not a shard of Tersor"));
}

}  // namespace
}  // namespace tersor
