#include "core/formats/gguf_writer.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/formats/gguf_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GgufWriterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ = fs::path(::testing::TempDir()) / "gguf-writer-test";
  const fs::path path_ = folder_ / "x.gguf";
};

template <typename T>
std::span<const std::byte> Bytes(const std::vector<T>& values) {
  return std::as_bytes(std::span<const T>(values));
}

TEST_F(GgufWriterTest, ReaderFindsEveryValueAndTensor) {
  GgufMetadataBuilder metadata;
  metadata.Uint32("a.uint", 7);
  metadata.Float32("a.float", 0.5f);
  metadata.Bool("a.bool", true);
  metadata.String("a.string", "text");
  metadata.Strings("a.strings", std::vector<std::string>{"x", "", "yz"});
  metadata.Int32s("a.ints", std::vector<int32_t>{-1, 2});
  metadata.Float32s("a.floats", std::vector<float>{1.5f});
  const std::vector<float> vector = {1, 2, 3};
  const std::vector<float> matrix = {1, 2, 3, 4, 5, 6};
  absl::StatusOr<GgufWriter> writer =
      GgufWriter::Create(path_, metadata, {{"v", kGgufTypeF32, {3}, 12}, {"m", kGgufTypeF32, {2, 3}, 24}});
  ASSERT_TRUE(writer.ok()) << writer.status();
  ASSERT_TRUE(writer->Append(Bytes(vector)).ok());
  // In two pieces.
  ASSERT_TRUE(writer->Append(Bytes(matrix).first(8)).ok());
  ASSERT_TRUE(writer->Append(Bytes(matrix).subspan(8)).ok());
  ASSERT_TRUE(writer->Seal().ok());
  EXPECT_TRUE(ReadGguf(writer->temporary_path()).ok());
  EXPECT_FALSE(fs::exists(path_));
  ASSERT_TRUE(writer->Commit().ok());

  absl::StatusOr<GgufFile> file = ReadGguf(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(*file->metadata.Integer("a.uint"), 7);
  EXPECT_EQ(*file->metadata.Float("a.float"), 0.5);
  EXPECT_EQ(*file->metadata.Bool("a.bool"), true);
  EXPECT_EQ(*file->metadata.String("a.string"), "text");
  EXPECT_THAT(*file->metadata.Strings("a.strings"), ElementsAre("x", "", "yz"));
  EXPECT_THAT(*file->metadata.Integers("a.ints"), ElementsAre(-1, 2));
  EXPECT_THAT(*file->metadata.Floats("a.floats"), ElementsAre(1.5));
  EXPECT_EQ(file->tensors.at("m")->shape(), (Shape{2, 3}));
  EXPECT_EQ(file->tensors.at("m")->Decode(), matrix);
  EXPECT_EQ(file->tensors.at("v")->Decode(), vector);
}

TEST_F(GgufWriterTest, RefusesWhatWouldLie) {
  GgufMetadataBuilder twice;
  twice.Bool("k", true);
  twice.Bool("k", false);
  EXPECT_THAT(GgufWriter::Create(path_, twice, {}).status().message(), HasSubstr("\"k\" is given twice"));
  const GgufMetadataBuilder none;
  EXPECT_THAT(GgufWriter::Create(path_, none, {{"a", 0, {1}, 4}, {"a", 0, {1}, 4}}).status().message(),
              HasSubstr("stands twice"));
  EXPECT_THAT(GgufWriter::Create(path_, none, {{std::string(64, 'a'), 0, {1}, 4}}).status().message(),
              HasSubstr("63 bytes"));
  EXPECT_FALSE(GgufWriter::Create(path_, none, {{"a", 0, {}, 4}}).ok());
  {
    absl::StatusOr<GgufWriter> writer = GgufWriter::Create(path_, none, {{"a", 0, {2}, 8}});
    ASSERT_TRUE(writer.ok());
    EXPECT_THAT(writer->Append(std::vector<std::byte>(9)).message(), HasSubstr("takes 8 more"));
    EXPECT_THAT(writer->Seal().message(), HasSubstr("\"a\" misses 8 bytes"));
    EXPECT_FALSE(writer->Commit().ok());
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace
}  // namespace tersor
