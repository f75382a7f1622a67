#include "client/cli/duration_flag.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

TEST(ParseDuration, TakesTheUsualSpellings) {
  EXPECT_EQ(*ParseDuration("90s", "--timeout"), absl::Seconds(90));
  EXPECT_EQ(*ParseDuration("15m", "--timeout"), absl::Minutes(15));
  EXPECT_EQ(*ParseDuration("1h30m", "--timeout"), absl::Minutes(90));
  EXPECT_EQ(*ParseDuration("30d", "--timeout"), absl::Hours(720));
  EXPECT_EQ(*ParseDuration("0", "--timeout"), absl::ZeroDuration());
}

TEST(ParseDuration, RefusesTheRestAndNamesTheFlag) {
  for (const char* bad : {"", "soon", "-5s", "1e300", "nan", "inf", "5 minutes"}) {
    absl::Status status = ParseDuration(bad, "--timeout").status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << bad;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("--timeout"));
  }
}

TEST(ParseBytes, TakesTheUsualSpellings) {
  EXPECT_EQ(*ParseBytes("123", "--memory"), 123);
  EXPECT_EQ(*ParseBytes("500MB", "--memory"), 500000000);
  EXPECT_EQ(*ParseBytes("2.5gb", "--memory"), 2500000000);
  EXPECT_EQ(*ParseBytes("4GiB", "--memory"), int64_t{4} << 30);
  EXPECT_EQ(*ParseBytes("0", "--memory"), 0);
}

TEST(ParseBytes, RefusesTheRest) {
  for (const char* bad : {"", "GB", "-1", "1e40", "many", "nan", "4 GiB x"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseBytes(bad, "--memory").status())) << bad;
  }
}

}  // namespace
}  // namespace tersor::client
