#include "core/base/temporary_folder.h"

#include <filesystem>

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

class TemporaryFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  const fs::path folder_ = fs::path(::testing::TempDir()) / "temporary-folder-test";
};

TEST_F(TemporaryFolderTest, AppearsOnlyAtCommit) {
  absl::StatusOr<TemporaryFolder> folder = TemporaryFolder::Create(folder_ / "final/");
  ASSERT_TRUE(folder.ok()) << folder.status();
  ASSERT_TRUE(WriteFileAtomically(folder->path() / "x", "1").ok());
  EXPECT_FALSE(fs::exists(folder_ / "final"));
  ASSERT_TRUE(folder->Commit().ok());
  EXPECT_EQ(*ReadFile(folder_ / "final" / "x"), "1");
}

TEST_F(TemporaryFolderTest, DroppedFolderLeavesNothing) {
  {
    absl::StatusOr<TemporaryFolder> folder = TemporaryFolder::Create(folder_ / "final");
    ASSERT_TRUE(WriteFileAtomically(folder->path() / "x", "1").ok());
    TemporaryFolder moved = *std::move(folder);
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(TemporaryFolderTest, FolderThatCannotBeMadeIsAnError) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "file", "1").ok());
  EXPECT_FALSE(TemporaryFolder::Create(folder_ / "file" / "final").ok());
}

}  // namespace
}  // namespace tersor
