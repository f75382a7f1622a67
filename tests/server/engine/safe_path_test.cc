#include "server/engine/safe_path.h"

#include "core/base/atomic_file.h"
#include "gtest/gtest.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

TEST(SafePathTest, RelativePaths) {
  for (const char* good : {"a", "a/b", "a..b", ".hidden", "a b/c"}) EXPECT_TRUE(IsSafeRelativePath(good)) << good;
  for (const char* bad : {"", "/a", "../a", "a/../b", "a/..", "./a", "a//b", "a/", "a\\b"}) {
    EXPECT_FALSE(IsSafeRelativePath(bad)) << bad;
  }
  EXPECT_FALSE(IsSafeRelativePath(absl::string_view("a\0b", 3)));
  EXPECT_FALSE(IsSafeRelativePath(std::string(2000, 'a')));
}

TEST(SafePathTest, Names) {
  for (const char* good : {"a", "Model-1.0_x", "7"}) EXPECT_TRUE(IsSafeName(good)) << good;
  for (const char* bad : {"", ".a", "..", "a/b", "a b", "\xc3\xa9"}) EXPECT_FALSE(IsSafeName(bad)) << bad;
  EXPECT_FALSE(IsSafeName(std::string(129, 'a')));
}

TEST(SafePathTest, RootsHoldThroughLinks) {
  testing::TempFolder temp;
  fs::create_directories(temp.path() / "root" / "sub");
  fs::create_directories(temp.path() / "root2");
  fs::create_directory_symlink("/etc", temp.path() / "root" / "link");
  const fs::path root = temp.path() / "root";
  EXPECT_TRUE(IsBelow(root, root));
  EXPECT_TRUE(IsBelow(root / "sub" / "none", root));
  EXPECT_TRUE(IsBelow(root / "sub", temp.path() / "root/"));
  EXPECT_FALSE(IsBelow(temp.path() / "root2", root)) << "a prefix of the name is not a folder";
  EXPECT_FALSE(IsBelow(root / "..", root));
  EXPECT_FALSE(IsBelow(root / "link" / "passwd", root));
  EXPECT_FALSE(IsBelowAny(root, {}));
  EXPECT_FALSE(IsBelow("/etc/passwd" + std::string(1, '\0') + "/../../.." + (root / "sub").string(), root))
      << "opened, it is /etc/passwd";
}

TEST(SafePathTest, ResolvesOnlyRegularFiles) {
  testing::TempFolder temp;
  ASSERT_TRUE(WriteFileAtomically(temp.path() / "file", "x").ok());
  fs::create_directories(temp.path() / "folder");
  fs::create_symlink("/etc/passwd", temp.path() / "link");
  EXPECT_TRUE(ResolveFileIn(temp.path(), "file").ok());
  EXPECT_EQ(ResolveFileIn(temp.path(), "folder").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ResolveFileIn(temp.path(), "link").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ResolveFileIn(temp.path(), "../x").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace tersor
