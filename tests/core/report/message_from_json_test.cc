#include "core/report/message_from_json.h"

#include <cmath>
#include <limits>

#include "core/report/report_format.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "tests/core/compare/compared_report.h"
#include "tests/core/report/sample_report.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

TEST(MessageFromJsonTest, ReadsWhatIsWritten) {
  for (const v1::Report& report : {testing::SampleReport(), testing::ComparedReport({})}) {
    const absl::StatusOr<v1::Report> back = ReportFromJson(MessageToJson(report));
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(google::protobuf::util::MessageDifferencer::Equals(report, *back));
  }
}

TEST(MessageFromJsonTest, NullIsWhatIsNotFinite) {
  v1::Report report;
  report.set_verdict(v1::VERDICT_FAIL);
  report.add_perplexity()->set_value(std::numeric_limits<double>::infinity());
  v1::Interval* interval = report.add_gates()->mutable_interval();
  interval->set_low(-std::numeric_limits<double>::infinity());
  interval->set_high(2);
  const absl::StatusOr<v1::Report> back = ReportFromJson(MessageToJson(report));
  ASSERT_TRUE(back.ok()) << back.status();
  EXPECT_TRUE(std::isnan(back->perplexity(0).value()));
  EXPECT_EQ(back->gates(0).interval().low(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(back->gates(0).interval().high(), 2);
}

TEST(MessageFromJsonTest, LaterVersionsMayAdd) {
  const absl::StatusOr<v1::Report> report =
      ReportFromJson(R"({"verdict": "SPLENDID", "tersor_version": "9", "mood": {"a": [1]}, "recipe": {"model": "m"}})");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->verdict(), v1::VERDICT_UNSPECIFIED);
  EXPECT_EQ(report->recipe().model(), "m");
}

TEST(MessageFromJsonTest, FaultsNameTheirKey) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"[]", "the document is not a mapping"},
      {"{}", "it is no report"},
      {R"({"verdict": 1.5})", "verdict is not a name"},
      {R"({"verdict": "PASS", "stages": {}})", "stages is not a list"},
      {R"({"verdict": "PASS", "stages": [{"seconds": "1"}]})", "stages[0].seconds is not a number"},
      {R"({"verdict": "PASS", "model": []})", "model is not a mapping"},
      {R"({"verdict": "PASS", "environment": {"threads": 5000000000}})", "environment.threads is not a 32-bit integer"},
      {R"({"verdict": "PASS", "tasks": [{"items": [{"greedy": [1]}]}]})",
       "tasks[0].items[0].greedy[0] is not true or false"},
      {R"({"verdict": "PASS", "tasks": [{"items": [{"scores": {"acc": "1"}}]}]})",
       "tasks[0].items[0].scores.acc is not a number"},
      {R"({"verdict": "PASS", "job_id": 7})", "job_id is not text"},
  };
  for (const auto& [text, message] : cases) {
    const absl::Status status = ReportFromJson(text).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message)) << text;
  }
  EXPECT_FALSE(ReportFromJson(std::string(1 << 20, '[')).ok());
}

}  // namespace
}  // namespace tersor
