#include "core/report/sweep_report.h"

#include "core/report/report_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

v1::SweepResult::Point Point(const std::string& name, int64_t bits, double perplexity,
                             v1::Verdict verdict = v1::VERDICT_PASS) {
  v1::SweepResult::Point point;
  point.set_name(name);
  point.set_model_bits(bits);
  point.set_perplexity(perplexity);
  point.set_verdict(verdict);
  return point;
}

TEST(SweepReportTest, FrontHoldsWhatNobodyBeats) {
  v1::SweepResult sweep;
  *sweep.add_points() = Point("small", 100, 30);
  *sweep.add_points() = Point("middle", 200, 20);
  *sweep.add_points() = Point("beaten", 210, 20);
  *sweep.add_points() = Point("equal", 200, 20);
  *sweep.add_points() = Point("large", 400, 17);
  *sweep.add_points() = Point("failed", 50, 10);
  sweep.mutable_points(5)->set_error("FAILED: no memory");
  MarkParetoFront(sweep);
  const auto front = [&](int i) { return sweep.points(i).on_pareto_front(); };
  EXPECT_TRUE(front(0));
  EXPECT_TRUE(front(1));
  EXPECT_FALSE(front(2));
  EXPECT_TRUE(front(3));
  EXPECT_TRUE(front(4));
  EXPECT_FALSE(front(5));
}

TEST(SweepReportTest, VerdictIsThatOfTheBestPoint) {
  v1::SweepResult sweep;
  *sweep.add_points() = Point("a", 100, 30, v1::VERDICT_FAIL);
  const auto verdict = [&] { return MakeSweepReport({}, "s", "1", sweep).verdict(); };
  EXPECT_EQ(verdict(), v1::VERDICT_FAIL);
  *sweep.add_points() = Point("b", 200, 20, v1::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(verdict(), v1::VERDICT_INCONCLUSIVE);
  *sweep.add_points() = Point("c", 300, 18);
  EXPECT_EQ(verdict(), v1::VERDICT_PASS);
}

TEST(SweepReportTest, SaysWhatToTake) {
  v1::SweepResult sweep;
  *sweep.add_points() = Point("bits=2", 100, 30, v1::VERDICT_FAIL);
  *sweep.add_points() = Point("bits=3", 200, 20);
  *sweep.add_points() = Point("bits=4", 300, 18);
  sweep.add_points()->set_name("bits=5");
  sweep.mutable_points(3)->set_error("FAILED: no memory");
  const v1::Report report = MakeSweepReport({}, "sweep-1", "0.1.0", sweep);
  EXPECT_EQ(report.job_id(), "sweep-1");
  EXPECT_EQ(report.summary(),
            "PASS: 2 of 4 points passed, 3 on the front of size and perplexity, 1 gave no result; the smallest that "
            "passed is bits=3.");
  const std::string table = ReportToTable(report, 120);
  EXPECT_THAT(table, HasSubstr("bits=4"));
  EXPECT_THAT(table, HasSubstr("No result of"));
  // The plot names the points that have figures.
  const std::string page = ReportToHtml(report);
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, HasSubstr("bytes of the whole model"));
}

TEST(SweepReportTest, PointTellsItsReportsFigures) {
  v1::Report report;
  report.set_job_id("job-1");
  report.set_verdict(v1::VERDICT_FAIL);
  report.mutable_size()->set_artifact_bytes(1000);
  report.mutable_size()->set_true_bits(4.25);
  report.mutable_size()->set_ratio(3.5);
  for (const char* subject : {"dense", "compressed"}) {
    v1::PerplexityResult* result = report.add_perplexity();
    result->set_subject(subject);
    result->set_hash("h");
    result->set_value(subject[0] == 'd' ? 16 : 20);
    v1::PerformanceResult* speed = report.add_performance();
    speed->set_subject(subject);
    speed->set_kind("decode");
    speed->set_tokens_per_second(subject[0] == 'd' ? 40 : 90);
  }
  const v1::SweepResult::Point point = SummarizePoint(report);
  EXPECT_EQ(point.job_id(), "job-1");
  EXPECT_EQ(point.model_bits(), 8000);
  EXPECT_EQ(point.bits_per_weight(), 4.25);
  EXPECT_EQ(point.perplexity(), 20);
  EXPECT_EQ(point.perplexity_ratio(), 1.25);
  EXPECT_EQ(point.decode_tokens_per_second(), 90);
  EXPECT_EQ(point.verdict(), v1::VERDICT_FAIL);
}

}  // namespace
}  // namespace tersor
