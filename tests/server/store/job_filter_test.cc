#include "server/store/job_filter.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

TEST(JobFilterTest, EmptyLetsEverythingPass) {
  const auto filter = ParseJobFilter("  ");
  ASSERT_TRUE(filter.ok());
  EXPECT_FALSE(filter->state.has_value() || filter->parent.has_value() || filter->method.has_value());
  EXPECT_TRUE(filter->labels.empty());
}

TEST(JobFilterTest, AllConditions) {
  const auto filter = ParseJobFilter("state=RUNNING AND label.team=\"model quality\" AND method=gptq AND parent=job-1");
  ASSERT_TRUE(filter.ok()) << filter.status();
  EXPECT_EQ(filter->state, v1::JOB_STATE_RUNNING);
  EXPECT_EQ(filter->labels.at("team"), "model quality");
  EXPECT_EQ(filter->method, "gptq");
  EXPECT_EQ(filter->parent, "job-1");
}

TEST(JobFilterTest, ValueMayHoldAnEqualsSign) { EXPECT_EQ(ParseJobFilter("label.a=b=c")->labels.at("a"), "b=c"); }

TEST(JobFilterTest, FaultsAreNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"state", "KEY=VALUE"},         {"=x", "KEY=VALUE"},         {"state=BUSY", "unknown state"},
      {"colour=blue", "unknown key"}, {"label.=x", "unknown key"}, {"method=a parent=b", "expected AND"},
      {"method=a AND", "follows"},    {"label.a=\"open", "quote"}, {"method=a OR parent=b", "expected AND"}};
  for (const auto& [text, message] : cases) {
    const auto filter = ParseJobFilter(text);
    EXPECT_EQ(filter.status().code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(filter.status().message(), HasSubstr(message)) << text;
  }
}

}  // namespace
}  // namespace tersor
