#include "server/store/data_folder.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

TEST(DataFolderTest, LockedWhileHeld) {
  testing::TempFolder temp;
  {
    const auto first = DataFolder::Open(temp.path() / "data");
    ASSERT_TRUE(first.ok()) << first.status();
    const auto second = DataFolder::Open(temp.path() / "data");
    EXPECT_EQ(second.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(second.status().message(), HasSubstr(absl::StrCat("locked by another tersord (pid ", getpid(), ")")));
  }
  EXPECT_TRUE(DataFolder::Open(temp.path() / "data").ok());
}

TEST(DataFolderTest, OnlyTheOwnerMayEnter) {
  testing::TempFolder temp;
  const auto folder = DataFolder::Open(temp.path() / "deep" / "data");
  ASSERT_TRUE(folder.ok());
  EXPECT_EQ(std::filesystem::status((*folder)->root()).permissions(), std::filesystem::perms::owner_all);
  ASSERT_TRUE((*folder)->CreateJob("job-1").ok());
  EXPECT_TRUE(std::filesystem::is_directory((*folder)->checkpoint("job-1")));
  EXPECT_TRUE(std::filesystem::is_directory((*folder)->attempt_log("job-1", 3).parent_path()));
}

TEST(DataFolderTest, AFileInItsPlaceIsAnError) { EXPECT_FALSE(DataFolder::Open("/dev/null/data").ok()); }

}  // namespace
}  // namespace tersor
