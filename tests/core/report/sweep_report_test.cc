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
  v1::Recipe recipe;
  recipe.add_gates("kl_mean <= 0.1");
  const auto verdict = [&] { return MakeSweepReport(recipe, "s", "1", sweep).verdict(); };
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
  v1::Recipe recipe;
  recipe.set_model("models/smol.gguf");
  recipe.add_gates("kl_mean <= 0.1");
  for (int i = 0; i < 3; ++i) (*sweep.mutable_points(i)->mutable_settings())["bits"] = std::to_string(i + 2);
  const v1::Report report = MakeSweepReport(recipe, "sweep-1", "0.1.0", sweep);
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
  EXPECT_THAT(page, HasSubstr("size of the whole model, MB"));
  EXPECT_THAT(page, HasSubstr("<title>PASS: sweep of smol.gguf over bits - Tersor</title>"));
}

TEST(SweepReportTest, WithoutGatesNothingIsSaidToHavePassed) {
  v1::SweepResult sweep;
  *sweep.add_points() = Point("bits=3", 1'600'000'000, 20);
  *sweep.add_points() = Point("bits=4", 2'400'000'000, 18);
  v1::Report report = MakeSweepReport({}, "sweep-1", "0.1.0", sweep);
  (*report.mutable_labels())["name"] = "nightly";
  EXPECT_EQ(report.verdict(), v1::VERDICT_UNSPECIFIED);
  EXPECT_EQ(report.summary(),
            "Nothing was judged, as there are no gates: 2 points, 2 on the front of size and perplexity.");
  for (const std::string& text :
       {ReportToTable(report, 120), ReportToMarkdown(report), ReportToHtml(report), ReportToJunit(report)}) {
    EXPECT_THAT(text, ::testing::Not(::testing::ContainsRegex("[^.]PASS")));
  }
  const std::string table = ReportToTable(report, 120);
  EXPECT_THAT(table, HasSubstr("200 MB"));
  EXPECT_THAT(table, HasSubstr("sweep of several models"));
  EXPECT_THAT(table, HasSubstr("nightly"));
}

// A point at 40000 would press the others into one line; its axis has no "-0".
TEST(SweepReportTest, FarApartPerplexitiesHaveALogarithmicAxis) {
  v1::SweepResult sweep;
  *sweep.add_points() = Point("bits=2", 480'000'000, 40000);
  sweep.mutable_points(0)->set_perplexity_standard_error(6000);
  *sweep.add_points() = Point("bits=3", 590'000'000, 83);
  *sweep.add_points() = Point("bits=4", 690'000'000, 32);
  const std::string page = ReportToHtml(MakeSweepReport({}, "sweep-1", "0.1.0", sweep));
  for (const char* tick : {">100<", ">1000<", ">10000<"}) EXPECT_THAT(page, HasSubstr(tick));
  EXPECT_THAT(page, ::testing::Not(HasSubstr(">-0<")));
  EXPECT_THAT(page, HasSubstr("one standard error of the perplexity"));
}

TEST(SweepReportTest, JunitHasACaseAPoint) {
  v1::SweepResult sweep;
  *sweep.add_points() = Point("bits=2", 100, 30, v1::VERDICT_FAIL);
  sweep.mutable_points(0)->set_summary("FAIL: kl_mean <= 0.1 <&>");
  sweep.mutable_points(0)->set_seconds(2.5);
  *sweep.add_points() = Point("bits=3", 200, 20);
  *sweep.add_points() = Point("bits=4", 300, 18, v1::VERDICT_INCONCLUSIVE);
  *sweep.add_points() = Point("bits=5", 0, 0);
  sweep.mutable_points(3)->set_error("FAILED: no memory");
  v1::Recipe recipe;
  recipe.add_gates("kl_mean <= 0.1");
  const v1::Report report = MakeSweepReport(recipe, "sweep-1", "0.1.0", sweep);
  const std::string xml = ReportToJunit(report);
  EXPECT_THAT(xml, HasSubstr("tests=\"4\" failures=\"2\" errors=\"1\" skipped=\"0\" time=\"2.500\""));
  EXPECT_THAT(xml, HasSubstr("<testcase classname=\"tersor.sweep\" name=\"bits=2\" time=\"2.500\">"
                             "<failure type=\"gate\" message=\"FAIL: kl_mean &lt;= 0.1 &lt;&amp;&gt;\"/></testcase>"));
  EXPECT_THAT(xml, HasSubstr("name=\"bits=3\" time=\"0.000\"/>"));
  EXPECT_THAT(xml, HasSubstr("<failure type=\"inconclusive\""));
  EXPECT_THAT(xml, HasSubstr("<error type=\"job\" message=\"FAILED: no memory\"/>"));
  EXPECT_THAT(ReportToJunit(report, InconclusiveCase::kSkipped), HasSubstr("skipped=\"1\""));
}

TEST(SweepReportTest, PointTellsItsReportsFigures) {
  v1::Report report;
  report.set_job_id("job-1");
  report.set_verdict(v1::VERDICT_FAIL);
  report.add_stages()->set_seconds(3);
  report.add_stages()->set_seconds(40);
  report.mutable_stages(1)->set_reused(true);
  report.mutable_size()->set_artifact_bytes(1000);
  report.mutable_size()->set_true_bits(4.25);
  report.mutable_size()->set_ratio(3.5);
  for (const char* subject : {"dense", "compressed"}) {
    v1::PerplexityResult* result = report.add_perplexity();
    result->set_subject(subject);
    result->set_hash("h");
    result->set_value(subject[0] == 'd' ? 16 : 20);
    result->set_standard_error(0.5);
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
  EXPECT_EQ(point.perplexity_standard_error(), 0.5);
  EXPECT_EQ(point.seconds(), 3);
  EXPECT_THAT(point.summary(), HasSubstr("FAIL"));
  EXPECT_EQ(point.perplexity_ratio(), 1.25);
  EXPECT_EQ(point.decode_tokens_per_second(), 90);
  EXPECT_EQ(point.verdict(), v1::VERDICT_FAIL);
}

}  // namespace
}  // namespace tersor
