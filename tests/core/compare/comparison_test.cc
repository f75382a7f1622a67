#include "core/compare/comparison.h"

#include <cmath>

#include "core/base/atomic_file.h"
#include "core/report/message_from_json.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/compare/compared_report.h"
#include "tests/core/compare/comparison_reading.h"
#include "tests/testing/paths.h"

namespace tersor {
namespace {

using testing::Compare;
using testing::ComparedReport;
using ::testing::ElementsAre;
using testing::Find;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Labels;

std::vector<NamedReport> TwoReports(
    const testing::ReportShape& second = {
        .job_id = "job-2", .lost = 2, .perplexity_ratio = 1.05, .bytes = 140'000'000, .decode_rate = 25}) {
  return {{"job-1", ComparedReport({})}, {second.job_id, ComparedReport(second)}};
}

TEST(CompareReportsTest, TheDenseOriginalStandsOnceAndFirst) {
  const v1::ReportComparison comparison = Compare(TwoReports());
  EXPECT_THAT(Labels(comparison), ElementsAre("dense", "job-1", "job-2"));
  EXPECT_TRUE(comparison.models(0).dense());
  EXPECT_EQ(comparison.models(1).method(), "gptq bits 4");
  // Without gates nothing was judged.
  EXPECT_EQ(comparison.models(1).verdict(), v1::VERDICT_UNSPECIFIED);
  v1::Report judged = ComparedReport({});
  judged.add_gates();
  EXPECT_EQ(Compare({{"job-1", judged}}).models(1).verdict(), v1::VERDICT_PASS);
  std::vector<std::string> figures;
  for (const v1::ComparedFigure& figure : comparison.figures()) figures.push_back(figure.name());
  EXPECT_THAT(figures,
              ElementsAre("mean_accuracy", "task.piqa.acc", "task.copa.acc", "perplexity[wiki:windows]", "kl_mean",
                          "kl_p99", "top1_agreement", "bytes", "size_ratio", "decode_ms_per_token"));
  EXPECT_EQ(Find(comparison, 0, "bytes").value(), 269e6);
  EXPECT_FALSE(Find(comparison, 0, "kl_mean").measured());
  EXPECT_NEAR(Find(comparison, 1, "decode_ms_per_token").value(), 1000.0 / 30, 1e-9);
}

TEST(CompareReportsTest, ChangesArePairedWithTheDenseOriginal) {
  const v1::ReportComparison comparison = Compare(TwoReports());
  const v1::ComparedModel::Value task = Find(comparison, 1, "task.piqa.acc");
  EXPECT_NEAR(task.value(), 0.5, 1e-12);
  EXPECT_NEAR(task.change(), 0.1, 1e-12);
  // Ten lost, none won: 2 / 2^10.
  EXPECT_NEAR(task.mcnemar_p(), 2.0 / 1024, 1e-12);
  EXPECT_GT(task.change_interval().low(), 0.05);
  const v1::ComparedModel::Value mean = Find(comparison, 1, "mean_accuracy");
  EXPECT_NEAR(mean.change(), 0.1, 1e-12);
  EXPECT_GT(mean.change_interval().low(), task.change_interval().low());
  const v1::ComparedModel::Value perplexity = Find(comparison, 2, "perplexity[wiki:windows]");
  EXPECT_NEAR(perplexity.change(), 1.05, 1e-9);
  EXPECT_LT(perplexity.change_interval().low(), 1.05);
  EXPECT_GT(perplexity.change_interval().low(), 1.03);
  EXPECT_FALSE(Find(comparison, 0, "task.piqa.acc").has_change_interval());
}

TEST(CompareReportsTest, FrontsWeighQualityAgainstSizeAndLatency) {
  std::vector<NamedReport> reports = TwoReports();
  // Larger, slower and worse than job-2.
  reports.push_back(
      {"job-3", ComparedReport(
                    {.job_id = "job-3", .lost = 5, .perplexity_ratio = 1.1, .bytes = 150'000'000, .decode_rate = 22})});
  const v1::ReportComparison comparison = Compare(reports);
  ASSERT_EQ(comparison.fronts_size(), 4);
  const v1::ParetoFront& size = comparison.fronts(0);
  EXPECT_EQ(size.quality(), "mean_accuracy");
  EXPECT_EQ(size.cost(), "bytes");
  EXPECT_THAT(size.front(), ElementsAre(1, 2, 0));
  EXPECT_THAT(size.models(), ElementsAre(1, 2, 3, 0));
  EXPECT_EQ(size.reference(), 0);
  const double small = std::log2(140e6 / 80e6), large = std::log2(269e6 / 140e6);
  EXPECT_NEAR(size.area(), (small * 0.5 / 0.6 + large * 0.58 / 0.6) / 4, 1e-9);
  EXPECT_EQ(comparison.fronts(3).quality(), "perplexity[wiki:windows]");
  EXPECT_EQ(comparison.fronts(3).cost(), "decode_ms_per_token");
}

// Neither on a front nor without a verdict, gates or none.
TEST(CompareReportsTest, AFigureThatIsNoNumberIsNoMerit) {
  std::vector<NamedReport> reports = TwoReports();
  v1::Report& broken = reports[1].report;
  broken.clear_gates();
  broken.set_verdict(v1::VERDICT_FAIL);
  for (v1::PerplexityResult& result : *broken.mutable_perplexity()) {
    if (result.subject() != "dense") result.set_value(std::nan(""));
  }
  const v1::ReportComparison comparison = Compare(reports);
  EXPECT_EQ(comparison.models(2).verdict(), v1::VERDICT_FAIL);
  ASSERT_EQ(comparison.fronts_size(), 4);
  for (const v1::ParetoFront& front : comparison.fronts()) {
    if (front.quality() != "perplexity[wiki:windows]") continue;
    EXPECT_THAT(front.front(), ::testing::Not(::testing::Contains(2))) << front.ShortDebugString();
    EXPECT_TRUE(std::isfinite(front.area()));
  }
}

TEST(CompareReportsTest, OtherProtocolsAreRefusedUnlessForced) {
  const std::vector<NamedReport> reports = TwoReports({.job_id = "job-2", .hash = "q"});
  const absl::Status refused = CompareReports(reports, {}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("perplexity on wiki (windows): job-1 has protocol p (windows of 100 tokens), job-2 has q "
                              "(windows of 100 tokens)"),
                    HasSubstr("task piqa: job-1 has protocol piqap, job-2 has piqaq"), HasSubstr("task copa")));
  const v1::ReportComparison forced = Compare(reports, {.force = true});
  ASSERT_EQ(forced.warnings_size(), 3);
  EXPECT_EQ(forced.warnings(0).code(), "PROTOCOLS_DIFFER");
  // Values stand side by side; changes are those against the dense model under the row's own protocol.
  EXPECT_TRUE(Find(forced, 2, "task.piqa.acc").measured());
  EXPECT_NEAR(Find(forced, 2, "task.piqa.acc").change(), 0.1, 1e-12);
  EXPECT_NEAR(Find(forced, 2, "perplexity[wiki:windows]").change(), 1.2, 1e-9);
  // Nothing is called a change that is not paired.
  std::vector<NamedReport> alone = reports;
  alone[1].report.mutable_tasks()->DeleteSubrange(0, 2);
  alone[1].report.mutable_perplexity()->DeleteSubrange(0, 1);
  const v1::ReportComparison apart = Compare(alone, {.force = true});
  EXPECT_TRUE(Find(apart, 2, "task.piqa.acc").measured());
  EXPECT_FALSE(Find(apart, 2, "task.piqa.acc").has_change_interval());
  EXPECT_FALSE(Find(apart, 2, "perplexity[wiki:windows]").has_change_interval());
}

TEST(CompareReportsTest, MoreTasksInOneReportAreNoConflict) {
  std::vector<NamedReport> reports = TwoReports();
  auto& tasks = *reports[1].report.mutable_tasks();
  tasks.DeleteSubrange(3, 1);
  tasks.DeleteSubrange(1, 1);
  const v1::ReportComparison comparison = Compare(reports);
  EXPECT_FALSE(Find(comparison, 2, "task.copa.acc").measured());
  // The mean speaks of what all have.
  EXPECT_NEAR(Find(comparison, 1, "mean_accuracy").value(), 0.5, 1e-12);
}

TEST(CompareReportsTest, WithoutDenseFiguresTheFirstIsTheReference) {
  std::vector<NamedReport> reports;
  for (const NamedReport& named : TwoReports()) {
    v1::Report report = named.report;
    report.clear_size();
    report.clear_performance();
    auto& tasks = *report.mutable_tasks();
    tasks.DeleteSubrange(0, 2);
    report.mutable_perplexity()->DeleteSubrange(0, 1);
    reports.push_back({named.name, report});
  }
  const v1::ReportComparison comparison = Compare(reports);
  EXPECT_THAT(Labels(comparison), ElementsAre("job-1", "job-2"));
  EXPECT_NEAR(Find(comparison, 1, "task.piqa.acc").change(), -0.08, 1e-12);
  EXPECT_THAT(comparison.fronts(), IsEmpty());
}

TEST(CompareReportsTest, EqualNamesAreToldApart) {
  std::vector<NamedReport> reports = TwoReports();
  reports[1].name = "job-1";
  EXPECT_THAT(Labels(Compare(reports)), ElementsAre("dense", "job-1", "job-1 (2)"));
}

TEST(CompareReportsTest, OneReportComparesItsOwnSides) {
  const v1::ReportComparison comparison = Compare({{"only", ComparedReport({})}});
  EXPECT_THAT(Labels(comparison), ElementsAre("dense", "only"));
}

// What `tersor run` wrote for tiny models.
NamedReport Recorded(const std::string& name) {
  const absl::StatusOr<std::string> json = ReadFile(testing::FixturesPath() / "reports" / (name + ".json"));
  absl::StatusOr<v1::Report> report = json.ok() ? ReportFromJson(*json) : json.status();
  EXPECT_TRUE(report.ok()) << report.status();
  return {name, report.ok() ? *report : v1::Report()};
}

TEST(CompareReportsTest, RealReports) {
  const NamedReport llama = Recorded("tiny_llama_gptq4"), mistral = Recorded("tiny_mistral_gptq4");
  const v1::ReportComparison comparison = Compare({llama, mistral});
  // Two originals.
  ASSERT_EQ(comparison.models_size(), 4);
  EXPECT_TRUE(comparison.models(1).dense());
  EXPECT_EQ(comparison.models(2).label(), "tiny_llama_gptq4");
  EXPECT_EQ(comparison.models(3).method(), "gptq bits 4, group_size 32");
  int perplexity = 0;
  while (comparison.figures(perplexity).name().rfind("perplexity[", 0) != 0) ++perplexity;
  const v1::ComparedModel::Value value = comparison.models(3).values(perplexity);
  EXPECT_NEAR(value.change(), mistral.report.perplexity(1).value() / mistral.report.perplexity(0).value(), 1e-9);
  EXPECT_LT(value.change_interval().low(), value.change());
  EXPECT_GT(comparison.fronts_size(), 0);
  const absl::Status refused = CompareReports({llama, Recorded("tiny_llama_other_text")}, {}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
}

TEST(CompareReportsTest, BadRequestsAreRefused) {
  EXPECT_EQ(CompareReports({}, {}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(CompareReports(TwoReports(), {.confidence = 95}).status().code(), absl::StatusCode::kInvalidArgument);
  const std::vector<NamedReport> many(kMaxComparedReports + 1);
  EXPECT_EQ(CompareReports(many, {}).status().code(), absl::StatusCode::kInvalidArgument);
  // A report that holds nothing is a row without figures, no crash.
  EXPECT_EQ(Compare({{"empty", {}}}).models_size(), 1);
}

TEST(CompareReportsTest, OtherMachinesEarnAWarning) {
  std::vector<NamedReport> reports = TwoReports();
  reports[1].report.mutable_environment()->set_cpu("another");
  const v1::ReportComparison comparison = Compare(reports);
  ASSERT_EQ(comparison.warnings_size(), 1);
  EXPECT_EQ(comparison.warnings(0).code(), "MACHINES_DIFFER");
}

}  // namespace
}  // namespace tersor
