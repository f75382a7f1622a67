#include "core/formats/artifact_info.h"

#include <filesystem>

#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

class ArtifactInfoTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "a");
    ASSERT_TRUE(WriteFileAtomically(folder_ / "a" / "two", "22").ok());
    ASSERT_TRUE(WriteFileAtomically(folder_ / "a" / "one", "1").ok());
  }
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ = fs::path(::testing::TempDir()) / "artifact-info-test";
};

TEST_F(ArtifactInfoTest, DescribesAFile) {
  absl::StatusOr<v1::ArtifactInfo> info = DescribeArtifact("x", folder_ / "a" / "two");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->name(), "x");
  EXPECT_EQ(info->path(), "two");
  EXPECT_EQ(info->bytes(), 2);
  EXPECT_EQ(info->sha256(), Sha256Hex("22"));
}

TEST_F(ArtifactInfoTest, DescribesAFolderByItsSortedFiles) {
  absl::StatusOr<v1::ArtifactInfo> info = DescribeArtifact("x", folder_ / "a/");
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->path(), "a");
  EXPECT_EQ(info->bytes(), 3);
  ASSERT_EQ(info->files_size(), 2);
  EXPECT_EQ(info->files(0).path(), "one");
  const std::string before = info->sha256();
  ASSERT_TRUE(WriteFileAtomically(folder_ / "a" / "two", "23").ok());
  EXPECT_NE(DescribeArtifact("x", folder_ / "a")->sha256(), before);
}

TEST_F(ArtifactInfoTest, FilesOfAFolderAreRelativeToWhatHoldsIt) {
  const v1::ArtifactInfo folder = RelativeToArtifacts(*DescribeArtifact("x", folder_ / "a"));
  EXPECT_EQ(folder.files(0).path(), "a/one");
  EXPECT_EQ(folder.files(1).path(), "a/two");
  EXPECT_EQ(RelativeToArtifacts(*DescribeArtifact("x", folder_ / "a" / "two")).files(0).path(), "two");
}

TEST_F(ArtifactInfoTest, MissingPathsAndNestedFoldersAreErrors) {
  EXPECT_EQ(DescribeArtifact("x", folder_ / "b").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(DescribeArtifact("x", folder_).status().message(), ::testing::HasSubstr("not a regular file"));
}

}  // namespace
}  // namespace tersor
