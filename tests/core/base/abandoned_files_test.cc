#include "core/base/abandoned_files.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// The number of a process that has ended.
pid_t DeadProcess() {
  const pid_t pid = fork();
  if (pid == 0) std::_Exit(0);
  waitpid(pid, nullptr, 0);
  return pid;
}

TEST(AbandonedFilesTest, OnlyTemporaryNamesOfDeadProcessesAreAbandoned) {
  const pid_t dead = DeadProcess();
  EXPECT_TRUE(IsAbandoned(absl::StrCat("a/model.safetensors.tmp-", dead, "-3")));
  EXPECT_FALSE(IsAbandoned(absl::StrCat("a/model.safetensors.tmp-", getpid(), "-3"))) << "it is being written";
  for (const char* name : {"model.safetensors", "notes.tmp-", "notes.tmp-x-1", "notes.tmp-12", "a.tmp-1-2-3", ""}) {
    EXPECT_FALSE(IsAbandoned(name)) << name;
  }
}

TEST(AbandonedFilesTest, AProcessThatHasEndedAndIsNotWaitedForIsDead) {
  const pid_t zombie = fork();
  if (zombie == 0) std::_Exit(0);
  siginfo_t info = {};
  // Waits for its end and leaves it as it is.
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(zombie), &info, WEXITED | WNOWAIT), 0);
  EXPECT_TRUE(IsAbandoned(absl::StrCat("file.tmp-", zombie, "-0")));
  waitpid(zombie, nullptr, 0);
}

TEST(AbandonedFilesTest, RemovesFilesAndFoldersOfDeadProcesses) {
  const fs::path folder = fs::path(::testing::TempDir()) / "abandoned_files";
  fs::remove_all(folder);
  const std::string mark = absl::StrCat(".tmp-", DeadProcess(), "-0");
  const std::string live = absl::StrCat(".tmp-", getpid(), "-0");
  fs::create_directories(folder / ("container" + mark) / "inner");
  fs::create_directories(folder / "checkpoint");
  for (const std::string& name : {"container" + mark + "/weights", "checkpoint/block" + mark, "checkpoint/block" + live,
                                  std::string("checkpoint/block")}) {
    ASSERT_TRUE(WriteFileAtomically(folder / name, "x").ok());
  }
  EXPECT_EQ(RemoveAbandoned(folder), 2);
  EXPECT_FALSE(fs::exists(folder / ("container" + mark)));
  EXPECT_FALSE(fs::exists(folder / "checkpoint" / ("block" + mark)));
  EXPECT_TRUE(fs::exists(folder / "checkpoint" / ("block" + live)));
  EXPECT_TRUE(fs::exists(folder / "checkpoint" / "block"));
  EXPECT_EQ(RemoveAbandoned(folder / "nothing"), 0);
  EXPECT_EQ(RemoveTemporaries(folder), 1);
  EXPECT_FALSE(fs::exists(folder / "checkpoint" / ("block" + live)));
  EXPECT_TRUE(fs::exists(folder / "checkpoint" / "block"));
  fs::remove_all(folder);
}

}  // namespace
}  // namespace tersor
