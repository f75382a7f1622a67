#include "server/engine/linked_bytes.h"

#include <fstream>

#include "gtest/gtest.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

class LinkedBytesTest : public ::testing::Test {
 protected:
  fs::path Folder(const std::string& name) {
    fs::create_directories(temp_.path() / name);
    return temp_.path() / name;
  }
  fs::path Write(const fs::path& path, size_t bytes) {
    std::ofstream(path) << std::string(bytes, 'x');
    return path;
  }

  testing::TempFolder temp_;
  LinkedBytes files_;
};

TEST_F(LinkedBytesTest, ASharedFileGoesWithItsLastName) {
  const fs::path first = Folder("first"), second = Folder("second");
  Write(first / "own", 7);
  fs::create_hard_link(Write(first / "shared", 100), second / "shared");
  EXPECT_EQ(files_.Add(first), 107);
  EXPECT_EQ(files_.Add(second), 100);
  EXPECT_EQ(files_.Total(), 107);
  EXPECT_EQ(files_.Remove(first), 7);
  EXPECT_EQ(files_.Total(), 100);
  EXPECT_EQ(files_.Remove(second), 100);
  EXPECT_EQ(files_.Total(), 0);
}

TEST_F(LinkedBytesTest, ANameElsewhereKeepsTheSpace) {
  const fs::path known = Folder("known"), elsewhere = Folder("elsewhere");
  fs::create_hard_link(Write(known / "shared", 100), elsewhere / "shared");
  EXPECT_EQ(files_.Add(known), 100);
  EXPECT_EQ(files_.Total(), 0);
  EXPECT_EQ(files_.Remove(known), 0);
}

TEST_F(LinkedBytesTest, TakesSingleFilesAndNothingThatIsNotThere) {
  const fs::path file = Write(Folder("a") / "file", 5);
  EXPECT_EQ(files_.Add(file), 5);
  EXPECT_EQ(files_.Add(temp_.path() / "none"), 0);
  EXPECT_EQ(files_.Remove(file), 5);
}

}  // namespace
}  // namespace tersor
