#include "server/executor/process_info.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

std::string StatLine(absl::string_view name, char state, uint64_t start) {
  std::string line = absl::StrCat("42 (", name, ") ", std::string(1, state));
  for (int field = 4; field <= 21; ++field) absl::StrAppend(&line, " ", field);
  return absl::StrCat(line, " ", start, " 23 24\n");
}

TEST(ProcessInfoTest, NamesMayHoldAnything) {
  for (const char* name : {"worker", "a b", "evil) Z 1 2 3", "()"}) {
    const auto stat = ParseProcessStat(StatLine(name, 'S', 12345));
    ASSERT_TRUE(stat.ok()) << name;
    EXPECT_EQ(stat->state, 'S');
    EXPECT_EQ(stat->start_ticks, 12345);
  }
}

TEST(ProcessInfoTest, DamagedTextIsAnError) {
  for (const char* text :
       {"", "42", "42 (x)", "42 (x) S 1 2", "42 (x) SS 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22"}) {
    EXPECT_EQ(ParseProcessStat(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(ProcessInfoTest, MappedFilesAreNotCounted) {
  EXPECT_EQ(ParseUnsharedRss("VmRSS:\t 900 kB\nRssAnon:\t     100 kB\nRssFile:\t 790 kB\nRssShmem:\t 10 kB\n"),
            110 * 1024);
  EXPECT_EQ(ParseUnsharedRss("State:\tZ (zombie)\n"), 0);
}

TEST(ProcessInfoTest, ThisProcess) {
  const auto stat = ReadProcessStat(getpid());
  ASSERT_TRUE(stat.ok());
  EXPECT_GT(stat->start_ticks, 0);
  EXPECT_GT(ReadUnsharedRss(getpid()), 0);
  EXPECT_EQ(ReadProcessStat(int64_t{1} << 40).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace tersor
