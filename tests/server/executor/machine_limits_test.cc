#include "server/executor/machine_limits.h"

#include "core/base/atomic_file.h"
#include "gtest/gtest.h"
#include "tests/server/testing/temp_folder.h"

namespace tersor {
namespace {

TEST(MachineLimitsTest, CpuMax) {
  EXPECT_EQ(ParseCpuMax("200000 100000\n"), 2);
  EXPECT_EQ(ParseCpuMax("150000 100000"), 2) << "rounded up";
  EXPECT_EQ(ParseCpuMax("1000 100000"), 1);
  EXPECT_EQ(ParseCpuMax("9223372036854775807 1"), std::numeric_limits<int>::max());
  for (const char* none : {"max 100000", "", "100000", "-1 100000", "100000 0", "1 2 3", "a b"}) {
    EXPECT_EQ(ParseCpuMax(none), std::nullopt) << none;
  }
}

TEST(MachineLimitsTest, MemoryMax) {
  EXPECT_EQ(ParseMemoryMax("1073741824\n"), int64_t{1} << 30);
  for (const char* none : {"max", "", "-1", "0", "9223372036854771712", "99999999999999999999"}) {
    EXPECT_EQ(ParseMemoryMax(none), std::nullopt) << none;
  }
}

TEST(MachineLimitsTest, MemTotal) {
  EXPECT_EQ(ParseMemTotal("MemFree: 1 kB\nMemTotal:       16384 kB\n"), 16 << 20);
  EXPECT_EQ(ParseMemTotal("MemFree: 1 kB\n"), 0);
}

TEST(MachineLimitsTest, CgroupPath) {
  const char* both = "4:memory:/a/b\n3:cpu,cpuacct:/c\n0::/user.slice/x:y\n";
  EXPECT_EQ(ParseCgroupPath(both, ""), "/user.slice/x:y");
  EXPECT_EQ(ParseCgroupPath(both, "memory"), "/a/b");
  EXPECT_EQ(ParseCgroupPath(both, "cpu"), "/c");
  EXPECT_EQ(ParseCgroupPath(both, "pids"), std::nullopt);
  EXPECT_EQ(ParseCgroupPath("", ""), std::nullopt);
}

TEST(MachineLimitsTest, SmallestLimitHolds) {
  testing::TempFolder temp;
  const MachineLimits free = ReadMachineLimits(temp.path());
  EXPECT_GE(free.threads, 1);
  EXPECT_GT(free.memory_bytes, 0);
  ASSERT_TRUE(WriteFileAtomically(temp.path() / "cpu.max", "100000 100000").ok());
  ASSERT_TRUE(WriteFileAtomically(temp.path() / "memory.max", "1048576").ok());
  const MachineLimits limited = ReadMachineLimits(temp.path());
  EXPECT_EQ(limited.threads, 1);
  EXPECT_EQ(limited.memory_bytes, 1048576);
}

TEST(MachineLimitsTest, OlderCgroupsHoldToo) {
  testing::TempFolder temp;
  std::filesystem::create_directories(temp.path() / "cpu");
  std::filesystem::create_directories(temp.path() / "memory");
  ASSERT_TRUE(WriteFileAtomically(temp.path() / "cpu" / "cpu.cfs_quota_us", "50000\n").ok());
  ASSERT_TRUE(WriteFileAtomically(temp.path() / "cpu" / "cpu.cfs_period_us", "100000\n").ok());
  ASSERT_TRUE(WriteFileAtomically(temp.path() / "memory" / "memory.limit_in_bytes", "2097152\n").ok());
  const MachineLimits limited = ReadMachineLimits(temp.path());
  EXPECT_EQ(limited.threads, 1);
  EXPECT_EQ(limited.memory_bytes, 2097152);
}

}  // namespace
}  // namespace tersor
