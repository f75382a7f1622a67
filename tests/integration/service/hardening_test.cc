// What a worker has of its server: no secrets of its environment, no way to more privileges, no descriptors.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/atomic_file.h"
#include "tests/integration/service/service_fixture.h"

namespace tersor::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ServiceTest, WorkersAreConfined) {
  setenv("SERVICE_PASSWORD", "hunter2", 1);
  setenv("TERSOR_TOKEN", "tsr_secret", 1);
  StartServer();
  unsetenv("SERVICE_PASSWORD");
  unsetenv("TERSOR_TOKEN");
  const v1::Job job = Submit(absl::StrCat("blocks=2 wait_at=1 gate=", gate().string()));
  WatchUntilBlock(job.id(), 0);
  const pid_t worker = WorkerPid(job.id());
  ASSERT_GT(worker, 0);
  const auto read = [&](const char* file) { return ReadFile(absl::StrCat("/proc/", worker, "/", file)).value_or(""); };
  const std::vector<std::string> environment = absl::StrSplit(read("environ"), '\0', absl::SkipEmpty());
  EXPECT_THAT(environment, Contains(StartsWith("PATH=")));
  EXPECT_THAT(environment, Not(Contains(HasSubstr("hunter2"))));
  EXPECT_THAT(environment, Not(Contains(HasSubstr("tsr_secret"))));
  EXPECT_THAT(read("status"), HasSubstr("NoNewPrivs:\t1"));
  EXPECT_THAT(read("limits"), ::testing::ContainsRegex("Max core file size +0 "));
  // A session, and so a process group, of its own.
  const std::vector<std::string> stat = absl::StrSplit(read("stat"), ' ');
  ASSERT_GT(stat.size(), 6u);
  EXPECT_EQ(stat[4], absl::StrCat(worker));
  EXPECT_EQ(stat[5], absl::StrCat(worker));
  OpenGate();
  EXPECT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace tersor::testing
