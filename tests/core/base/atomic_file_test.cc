#include "core/base/atomic_file.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  size_t FileCount() const { return std::distance(fs::directory_iterator(folder_), fs::directory_iterator()); }

  fs::path folder_;
};

TEST_F(AtomicFileTest, AppearsOnlyAtCommit) {
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(folder_ / "a");
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(file->Append("hello").ok());
  EXPECT_FALSE(fs::exists(folder_ / "a"));
  ASSERT_TRUE(file->Commit().ok());
  EXPECT_EQ(*ReadFile(folder_ / "a"), "hello");
  EXPECT_EQ(FileCount(), 1);
}

TEST_F(AtomicFileTest, AbandonedFileLeavesNothing) {
  {
    absl::StatusOr<AtomicFile> file = AtomicFile::Create(folder_ / "a");
    ASSERT_TRUE(file->Append("half").ok());
  }
  EXPECT_EQ(FileCount(), 0);
}

TEST_F(AtomicFileTest, FullDiskIsResourceExhausted) {
  absl::Status status = ErrnoStatus(ENOSPC, "writing file", "x");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("No space left"));
}

TEST_F(AtomicFileTest, ReadFileKeepsItsLimit) {
  ASSERT_TRUE(WriteFileAtomically(folder_ / "a", "12345").ok());
  EXPECT_EQ(ReadFile(folder_ / "a", 4).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(AtomicFileTest, CommitFolderReplacesAnEarlierOne) {
  fs::create_directories(folder_ / "new");
  fs::create_directories(folder_ / "final");
  ASSERT_TRUE(WriteFileAtomically(folder_ / "new" / "x", "new").ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ / "final" / "x", "old").ok());
  ASSERT_TRUE(CommitFolder(folder_ / "new", folder_ / "final").ok());
  EXPECT_EQ(*ReadFile(folder_ / "final" / "x"), "new");
  EXPECT_EQ(FileCount(), 1);
}

}  // namespace
}  // namespace tersor
