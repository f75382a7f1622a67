#include "server/executor/local_executor.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/executor/process_info.h"
#include "tests/server/testing/server_process.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

using testing::Eventually;
using ::testing::HasSubstr;

class LocalExecutorTest : public ::testing::Test {
 protected:
  // An executor whose worker is a shell script.
  std::unique_ptr<LocalExecutor> Make(const std::string& script) {
    const std::filesystem::path program = temp_.path() / "worker.sh";
    EXPECT_TRUE(WriteFileAtomically(program, "#!/bin/sh\n" + script + "\n").ok());
    chmod(program.c_str(), 0700);
    return std::make_unique<LocalExecutor>(program, std::nullopt);
  }
  LaunchSpec Spec(int64_t memory_bytes = 0) {
    return {.job_id = "job-1",
            .attempt = 3,
            .endpoint_file = "/endpoint",
            .token_file = "/token",
            .log_file = temp_.path() / "3.log",
            .memory_bytes = memory_bytes};
  }
  std::string LogText() { return ReadFile(temp_.path() / "3.log").value_or(""); }
  bool Ends(LocalExecutor& executor, const std::string& handle) {
    return Eventually([&] { return !executor.Poll(handle).running; });
  }

  testing::TempFolder temp_;
};

TEST_F(LocalExecutorTest, GivesTheSpecAsArgumentsAndKeepsTheLog) {
  const auto executor = Make("echo args: $@ >&2; exit 3");
  const auto handle = executor->Start(Spec());
  ASSERT_TRUE(handle.ok()) << handle.status();
  ASSERT_TRUE(Ends(*executor, *handle));
  EXPECT_EQ(executor->Poll(*handle).ending, "exit code 3");
  EXPECT_FALSE(executor->Poll(*handle).out_of_memory);
  EXPECT_THAT(LogText(), HasSubstr("args: --endpoint-file /endpoint --token-file /token --job job-1 --attempt 3"));
  executor->Forget(*handle);
  EXPECT_FALSE(executor->Poll(*handle).running);
}

TEST_F(LocalExecutorTest, WorkerHasItsOwnSessionAndNoDescriptorOfOurs) {
  const std::filesystem::path held = temp_.path() / "held";
  ASSERT_TRUE(WriteFileAtomically(held, "").ok());
  FILE* open_file = std::fopen(held.c_str(), "r");
  ASSERT_NE(open_file, nullptr);
  const auto executor = Make("ls -l /proc/self/fd >&2; exec sleep 1000");
  const auto handle = executor->Start(Spec());
  ASSERT_TRUE(handle.ok());
  const auto process = ParseLocalHandle(*handle);
  ASSERT_TRUE(process.ok());
  EXPECT_EQ(getsid(static_cast<pid_t>(process->pid)), process->pid);
  ASSERT_TRUE(Eventually([&] { return LogText().find("/dev/null") != std::string::npos; }));
  EXPECT_THAT(LogText(), ::testing::Not(HasSubstr("held")));
  executor->Stop(*handle, StopMode::kKill);
  ASSERT_TRUE(Ends(*executor, *handle));
  EXPECT_EQ(executor->Poll(*handle).ending, "killed by signal 9");
  std::fclose(open_file);
}

TEST_F(LocalExecutorTest, AskedWorkersMayCleanUp) {
  // Blocked in ours as in the server; must not be inherited.
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, nullptr);
  const auto executor = Make("trap 'exit 7' TERM; echo ready >&2; while :; do sleep 0.01; done");
  const auto handle = executor->Start(Spec());
  pthread_sigmask(SIG_UNBLOCK, &term, nullptr);
  ASSERT_TRUE(handle.ok());
  ASSERT_TRUE(Eventually([&] { return LogText().find("ready") != std::string::npos; }));
  executor->Stop(*handle, StopMode::kAsk);
  ASSERT_TRUE(Ends(*executor, *handle));
  // The group is asked, so the script's sleep may end it first.
  EXPECT_THAT(executor->Poll(*handle).ending, HasSubstr("exit code 7"));
}

TEST_F(LocalExecutorTest, KillsChildrenToo) {
  const auto executor = Make("sleep 1000 & echo child $! >&2; wait");
  const auto handle = executor->Start(Spec());
  ASSERT_TRUE(handle.ok());
  int64_t child = 0;
  ASSERT_TRUE(Eventually([&] { return std::sscanf(LogText().c_str(), "child %ld", &child) == 1; }));
  executor->Stop(*handle, StopMode::kKill);
  ASSERT_TRUE(Ends(*executor, *handle));
  EXPECT_TRUE(Eventually([&] {
    const auto stat = ReadProcessStat(child);
    return !stat.ok() || stat->state == 'Z';
  }));
}

TEST_F(LocalExecutorTest, WatchdogKeepsTheLimitOfMemory) {
  // A shell variable of 64 MiB.
  const auto executor = Make("x=$(head -c 67108864 /dev/zero | tr '\\0' x); echo full >&2; sleep 1000");
  const auto handle = executor->Start(Spec(int64_t{32} << 20));
  ASSERT_TRUE(handle.ok());
  ASSERT_TRUE(Ends(*executor, *handle));
  EXPECT_TRUE(executor->Poll(*handle).out_of_memory);
}

TEST_F(LocalExecutorTest, AnotherExecutorTakesItOver) {
  const auto first = Make("exec sleep 1000");
  const auto handle = first->Start(Spec());
  ASSERT_TRUE(handle.ok());
  LocalExecutor second("/unused", std::nullopt);
  EXPECT_FALSE(second.Poll(*handle).running) << "not yet known";
  ASSERT_TRUE(second.Reattach(*handle, Spec()).ok());
  EXPECT_TRUE(second.Poll(*handle).running);
  second.Stop(*handle, StopMode::kKill);
  // Its parent has not waited for it: a zombie has ended all the same.
  EXPECT_TRUE(Ends(second, *handle));
  EXPECT_EQ(second.Reattach(*handle, Spec()).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(Ends(*first, *handle));
}

TEST_F(LocalExecutorTest, AReusedPidIsAnotherProcess) {
  LocalExecutor executor("/unused", std::nullopt);
  const auto self = ReadProcessStat(getpid());
  ASSERT_TRUE(self.ok());
  const std::string other = FormatLocalHandle({.pid = getpid(), .start_ticks = self->start_ticks + 1, .cgroup = {}});
  EXPECT_EQ(executor.Reattach(other, Spec()).code(), absl::StatusCode::kNotFound);
  const auto adopted = executor.Adopt(getpid(), Spec());
  ASSERT_TRUE(adopted.ok());
  EXPECT_TRUE(executor.Poll(*adopted).running);
}

TEST_F(LocalExecutorTest, HandlesAreChecked) {
  const LocalHandle handle = {.pid = 77, .start_ticks = 5, .cgroup = "/sys/fs/cgroup/x:y"};
  const auto parsed = ParseLocalHandle(FormatLocalHandle(handle));
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->pid, 77);
  EXPECT_EQ(parsed->start_ticks, 5);
  EXPECT_EQ(parsed->cgroup, "/sys/fs/cgroup/x:y");
  for (const char* bad : {"", "local:", "local:1:5", "local:-9:5", "local:0:5", "remote:7:5", "local:7:x"}) {
    EXPECT_FALSE(ParseLocalHandle(bad).ok()) << bad;
  }
}

TEST_F(LocalExecutorTest, MissingProgramIsAnError) {
  LocalExecutor executor(temp_.path() / "none", std::nullopt);
  EXPECT_EQ(executor.Start(Spec()).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tersor
