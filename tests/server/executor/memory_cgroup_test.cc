#include "server/executor/memory_cgroup.h"

#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

TEST(MemoryCgroupTest, KeyedValues) {
  const char* events = "low 0\nmax 7\noom 2\noom_kill 1\n";
  EXPECT_EQ(ParseKeyedValue(events, "oom_kill"), 1);
  EXPECT_EQ(ParseKeyedValue(events, "oom"), 2);
  EXPECT_EQ(ParseKeyedValue(events, "none"), 0);
  EXPECT_EQ(ParseKeyedValue("", "oom"), 0);
}

TEST(MemoryCgroupTest, WithoutTheControllerThereIsNone) {
  testing::TempFolder temp;
  EXPECT_EQ(MemoryCgroups::Prepare(temp.path(), 1).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_TRUE(WriteFileAtomically(temp.path() / "cgroup.controllers", "cpu pids\n").ok());
  const absl::Status status = MemoryCgroups::Prepare(temp.path(), 1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(status.message(), HasSubstr("memory controller"));
}

// A plain folder has the controller's name but none of the kernel's files: the refusal must leave nothing behind.
TEST(MemoryCgroupTest, FolderThatIsNoCgroupIsRefused) {
  testing::TempFolder temp;
  ASSERT_TRUE(WriteFileAtomically(temp.path() / "cgroup.controllers", "cpu memory\n").ok());
  EXPECT_FALSE(MemoryCgroups::Prepare(temp.path(), 1).ok());
  EXPECT_FALSE(MemoryCgroups::WasOutOfMemory(temp.path()));
}

}  // namespace
}  // namespace tersor
