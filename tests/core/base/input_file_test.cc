#include "core/base/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// root/inner/file, root/blobs/blob and outside/secret, with links among them.
class InputFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    top_ =
        fs::path(::testing::TempDir()) / "input_file" / ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(top_);
    root_ = top_ / "root";
    fs::create_directories(root_ / "inner");
    fs::create_directories(root_ / "blobs");
    fs::create_directories(top_ / "outside");
    Write(root_ / "inner" / "file", "file");
    Write(root_ / "blobs" / "blob", "blob");
    Write(top_ / "outside" / "secret", "secret");
    fs::create_symlink("../blobs/blob", root_ / "inner" / "relative");
    fs::create_symlink(root_ / "blobs" / "blob", root_ / "inner" / "absolute");
    fs::create_symlink(top_ / "outside" / "secret", root_ / "inner" / "leak");
    fs::create_symlink("../../outside", root_ / "inner" / "folder");
    fs::create_symlink(root_, top_ / "link-to-root");
  }
  void TearDown() override { fs::remove_all(top_); }
  static void Write(const fs::path& path, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(path, text).ok());
  }
  static void Require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::_Exit(1);
  }
  static std::string Text(const absl::StatusOr<std::string>& text) {
    return text.ok() ? *text : text.status().ToString();
  }

  fs::path top_, root_;
};

TEST_F(InputFileTest, WithoutConfinementEveryRegularFileIsRead) {
  EXPECT_EQ(*ReadInputFile(root_ / "inner" / "leak"), "secret");
  EXPECT_EQ(*ReadInputHead(root_ / "inner" / "file", 2), "fi");
  EXPECT_EQ(*ReadInputHead(root_ / "inner" / "file", 100), "file");
  EXPECT_EQ(ReadInputFile(root_ / "none").status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(ReadInputFile(root_ / "inner").status().message(), HasSubstr("not a regular file"));
  EXPECT_THAT(ReadInputFile(root_ / "inner" / "file", 3).status().message(), HasSubstr("larger than the limit"));
}

TEST_F(InputFileTest, ANamedPipeKeepsNobodyWaiting) {
  ASSERT_EQ(mkfifo((root_ / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(ReadInputFile(root_ / "pipe").status().message(), HasSubstr("not a regular file"));
}

// Confinement stays with the process, so a child has it.
TEST_F(InputFileTest, LinksMayLeadAnywhereInsideAndNowhereElse) {
  EXPECT_EXIT(
      {
        ConfineInputs({top_ / "link-to-root", top_ / "missing"});
        Require(Text(ReadInputFile(root_ / "inner" / "file")) == "file", "a plain file");
        Require(Text(ReadInputFile(top_ / "link-to-root" / "inner" / "file")) == "file", "a root that is a link");
        Require(Text(ReadInputFile(root_ / "inner" / "relative")) == "blob", "a relative link inside");
        Require(Text(ReadInputFile(root_ / "inner" / "absolute")) == "blob", "an absolute link inside");
        Require(absl::IsInvalidArgument(ReadInputFile(root_ / "inner" / "leak").status()), "a link to outside");
        Require(absl::IsInvalidArgument(ReadInputFile(root_ / "inner" / "folder" / "secret").status()),
                "a folder that is a link");
        Require(absl::IsInvalidArgument(ReadInputFile(root_ / ".." / "outside" / "secret").status()), "dots");
        Require(absl::IsInvalidArgument(ReadInputFile("/etc/passwd").status()), "another place");
        Require(absl::IsNotFound(ReadInputFile(root_ / "none").status()), "nothing");
        ConfineInputs({root_ / "inner" / "file"});
        Require(Text(ReadInputFile(root_ / "inner" / "file")) == "file", "a root that is a file");
        Require(!ReadInputFile(root_ / "blobs" / "blob").ok(), "what the first call allowed");
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(InputFileTest, BelowOneRoot) {
  const absl::StatusOr<int> fd = OpenInputBelow(root_, root_ / "inner" / "relative");
  ASSERT_TRUE(fd.ok()) << fd.status();
  close(*fd);
  EXPECT_THAT(OpenInputBelow(root_, root_ / "inner" / "leak").status().message(), HasSubstr("leads outside"));
}

TEST_F(InputFileTest, KernelsOldAndNewFollowNoLinkOnTheWay) {
  const int root = open(root_.c_str(), O_PATH | O_DIRECTORY);
  ASSERT_GE(root, 0);
  for (const bool with_openat2 : {true, false}) {
    const int fd = OpenBeneath(root, "inner/file", with_openat2);
    EXPECT_GE(fd, 0) << with_openat2;
    close(fd);
    for (const char* path : {"inner/leak", "inner/relative", "inner/folder/secret", "../outside/secret"}) {
      EXPECT_EQ(OpenBeneath(root, path, with_openat2), -1) << path << with_openat2;
      EXPECT_TRUE(errno == ELOOP || errno == EXDEV || errno == ENOTDIR) << path << errno;
    }
    EXPECT_EQ(OpenBeneath(root, "inner/none", with_openat2), -1);
    EXPECT_EQ(errno, ENOENT);
  }
  close(root);
}

}  // namespace
}  // namespace tersor
