#include "core/compare/report_names.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/compare/compared_report.h"
#include "tests/core/compare/comparison_reading.h"

namespace tersor {
namespace {

using testing::Compare;
using testing::ComparedReport;
using ::testing::ElementsAre;
using testing::Find;
using testing::Labels;

NamedReport Job(const std::string& id, const std::map<std::string, std::string>& labels) {
  NamedReport named = {id, ComparedReport({.job_id = id})};
  named.report.mutable_labels()->insert(labels.begin(), labels.end());
  return named;
}

TEST(ReportNamesTest, LabelsComeBeforeTheId) {
  EXPECT_THAT(NamesOf({Job("job-1", {{"name", "release"}}), Job("job-2", {})}),
              ElementsAre("release (job-1)", "job-2"));
  EXPECT_THAT(NamesOf({Job("job-1", {{"release", "2.1"}, {"nightly", ""}})}),
              ElementsAre("nightly release=2.1 (job-1)"));
  EXPECT_THAT(NamesOf({Job("job-1", {})}), ElementsAre("job-1"));
}

TEST(ReportNamesTest, LabelsThatAllHaveTellNothing) {
  EXPECT_THAT(NamesOf({Job("job-1", {{"team", "nlp"}, {"bits", "4"}}), Job("job-2", {{"team", "nlp"}, {"bits", "3"}})}),
              ElementsAre("bits=4 (job-1)", "bits=3 (job-2)"));
  EXPECT_THAT(NamesOf({Job("job-1", {{"team", "nlp"}}), Job("job-2", {{"team", "nlp"}})}),
              ElementsAre("job-1", "job-2"));
}

TEST(ReportNamesTest, PointsOfSweepsHaveTheirSettings) {
  EXPECT_THAT(NamesOf({Job("job-1", {{"sweep.bits", "4"}}), Job("job-2", {{"sweep.bits", "3"}})}),
              ElementsAre("bits=4 (job-1)", "bits=3 (job-2)"));
  NamedReport point = Job("bits=4", {{"sweep.bits", "4"}});
  point.sweep = "sweep-1";
  EXPECT_THAT(NamesOf({point, Job("job-2", {{"sweep.bits", "3"}})}), ElementsAre("bits=4", "bits=3 (job-2)"));
}

TEST(ReportNamesTest, LongValuesAreCutBetweenCharacters) {
  std::string value;
  for (int i = 0; i < 60; ++i) value += "\u00e4";
  const std::string text = LabelsText(Job("job-1", {{"note", value}}).report.labels());
  EXPECT_EQ(text, "note=" + value.substr(0, 80) + "...");
}

TEST(ReportNamesTest, ComparisonsNameJobsByLabel) {
  const v1::ReportComparison comparison = Compare({Job("job-1", {{"name", "release"}}), Job("job-2", {})});
  EXPECT_THAT(Labels(comparison), ElementsAre("dense", "release (job-1)", "job-2"));
  EXPECT_EQ(comparison.models(1).labels().at("name"), "release");
  EXPECT_EQ(comparison.models(1).job_id(), "job-1");
}

// Not 0: what is exact has none, and neither has what nobody knows.
TEST(ComparedErrorsTest, StandAtTheFiguresThatHaveThem) {
  NamedReport job = Job("job-1", {});
  job.report.mutable_divergence()->set_kl_mean_standard_error(0.01);
  const v1::ReportComparison comparison = Compare({job});
  EXPECT_NEAR(Find(comparison, 1, "perplexity[wiki:windows]").standard_error(), 20.4 * 0.06455, 0.2);
  EXPECT_EQ(Find(comparison, 1, "kl_mean").standard_error(), 0.01);
  EXPECT_EQ(Find(comparison, 1, "task.piqa.acc").standard_error(), 0.049);
  EXPECT_FALSE(Find(comparison, 1, "top1_agreement").has_standard_error());
  EXPECT_FALSE(Find(comparison, 1, "bytes").has_standard_error());
  job.report.mutable_tasks(2)->mutable_metrics(0)->clear_standard_error();
  const v1::ReportComparison unknown = Compare({job});
  EXPECT_FALSE(Find(unknown, 1, "task.piqa.acc").has_standard_error() &&
               Find(unknown, 0, "task.piqa.acc").has_standard_error());
}

TEST(ComparedMemoryTest, IsWhatWasMeasured) {
  NamedReport job = Job("job-1", {});
  for (const auto& [subject, bytes] : {std::pair<const char*, int64_t>{"dense", 400}, {"compressed", 100}}) {
    v1::WeightMemory* memory = job.report.add_weight_memory();
    memory->set_subject(subject);
    memory->set_measured_bytes(bytes);
  }
  const v1::ReportComparison comparison = Compare({job});
  EXPECT_EQ(Find(comparison, 0, "measured_memory_bytes").value(), 400);
  EXPECT_EQ(Find(comparison, 1, "measured_memory_bytes").value(), 100);
}

}  // namespace
}  // namespace tersor
