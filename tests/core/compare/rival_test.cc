// A smaller dense rival, and forms of one task, in comparisons.
#include <cmath>

#include "core/compare/comparison.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/compare/compared_report.h"
#include "tests/core/compare/comparison_reading.h"

namespace tersor {
namespace {

using testing::AddFiveShots;
using testing::AddRival;
using testing::Compare;
using testing::ComparedReport;
using ::testing::Contains;
using ::testing::ElementsAre;
using testing::Find;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Labels;
using ::testing::Not;

std::vector<std::string> Figures(const v1::ReportComparison& comparison) {
  std::vector<std::string> names;
  for (const v1::ComparedFigure& figure : comparison.figures()) names.push_back(figure.name());
  return names;
}

NamedReport WithRival(const std::string& name, bool own_tokenizer = false) {
  v1::Report report = ComparedReport({.job_id = name});
  AddRival(own_tokenizer, report);
  return {name, report};
}

TEST(RivalTest, ItStandsOnceAndLast) {
  const v1::ReportComparison comparison = Compare({WithRival("job-1"), WithRival("job-2")});
  EXPECT_THAT(Labels(comparison), ElementsAre("dense", "job-1", "job-2", "baseline Tiny"));
  const v1::ComparedModel& rival = comparison.models(3);
  EXPECT_TRUE(rival.baseline_model());
  EXPECT_FALSE(rival.dense());
  EXPECT_EQ(rival.model(), "Tiny");
  EXPECT_EQ(rival.method(), "");
  EXPECT_EQ(rival.job_id(), "");
  EXPECT_EQ(rival.verdict(), v1::VERDICT_UNSPECIFIED);
}

TEST(RivalTest, ItHasQualitySizeAndSpeedAndIsPairedWithTheDenseModel) {
  const v1::ReportComparison comparison = Compare({WithRival("job-1")});
  EXPECT_NEAR(Find(comparison, 2, "task.piqa.acc").value(), 0.4, 1e-12);
  EXPECT_NEAR(Find(comparison, 2, "task.piqa.acc").change(), 0.2, 1e-12);
  EXPECT_GT(Find(comparison, 2, "task.piqa.acc").change_interval().low(), 0.1);
  EXPECT_NEAR(Find(comparison, 2, "mean_accuracy").change(), 0.2, 1e-12);
  EXPECT_NEAR(Find(comparison, 2, "perplexity[wiki:windows]").value(), 21, 1e-9);
  EXPECT_NEAR(Find(comparison, 2, "perplexity[wiki:windows]").change(), 21.0 / 17, 1e-9);
  EXPECT_EQ(Find(comparison, 2, "bytes").value(), 120e6);
  EXPECT_NEAR(Find(comparison, 2, "size_ratio").value(), 269.0 / 120, 1e-12);
  EXPECT_EQ(Find(comparison, 2, "decode_ms_per_token").value(), 20);
  // It was not compared token by token.
  EXPECT_FALSE(Find(comparison, 2, "kl_mean").measured());
}

TEST(RivalTest, FilesOfFewerBitsCountAsTheyAre) {
  NamedReport named = WithRival("job-1");
  named.report.mutable_baseline_model()->set_source_bytes(40'000'000);
  EXPECT_EQ(Find(Compare({named}), 2, "bytes").value(), 40e6);
  named.report.mutable_baseline_model()->set_source_bytes(240'000'000);
  EXPECT_EQ(Find(Compare({named}), 2, "bytes").value(), 120e6);
}

TEST(RivalTest, ItStandsOnFrontsButAddsNothingToTheArea) {
  NamedReport named = WithRival("job-1");
  named.report.mutable_baseline_model()->set_parameters(20'000'000);
  const v1::ReportComparison with = Compare({named}), without = Compare({{"job-1", ComparedReport({})}});
  ASSERT_EQ(with.fronts_size(), 4);
  EXPECT_THAT(with.fronts(0).front(), ElementsAre(2, 1, 0));
  EXPECT_EQ(with.fronts(0).area(), without.fronts(0).area());
  EXPECT_EQ(with.fronts(0).reference(), 0);
}

TEST(RivalTest, ATokenizerOfItsOwnLeavesTasksAndWordsComparable) {
  NamedReport named = WithRival("job-1", true);
  const v1::ReportComparison tokens = Compare({named});
  // Items were the same, whatever the hash.
  EXPECT_NEAR(Find(tokens, 2, "task.piqa.acc").change(), 0.2, 1e-12);
  EXPECT_THAT(Figures(tokens), Not(Contains("task.piqa:r.acc")));
  EXPECT_FALSE(Find(tokens, 2, "perplexity[wiki:windows]").measured());
  ASSERT_EQ(tokens.warnings_size(), 1);
  EXPECT_EQ(tokens.warnings(0).code(), "TOKENIZERS_DIFFER");
  EXPECT_THAT(tokens.warnings(0).message(), HasSubstr("baseline Tiny"));
  named.report.mutable_recipe()->mutable_evaluate()->mutable_perplexity(0)->set_convention("words");
  const v1::ReportComparison words = Compare({named});
  EXPECT_NEAR(Find(words, 2, "perplexity[wiki:words]").value(), 21, 1e-9);
  EXPECT_FALSE(Find(words, 2, "perplexity[wiki:words]").has_change_interval());
  EXPECT_THAT(words.warnings(), IsEmpty());
}

TEST(RivalTest, BesideAModelThatIsOnlyEvaluated) {
  NamedReport named = WithRival("job-1");
  v1::Report& report = named.report;
  report.mutable_recipe()->clear_stages();
  const auto drop = [](auto& results) {
    for (int i = results.size() - 1; i >= 0; --i) {
      if (results[i].subject() == "compressed") results.DeleteSubrange(i, 1);
    }
  };
  drop(*report.mutable_tasks());
  drop(*report.mutable_perplexity());
  drop(*report.mutable_performance());
  const v1::ReportComparison comparison = Compare({named});
  EXPECT_THAT(Labels(comparison), ElementsAre("job-1", "baseline Tiny"));
  EXPECT_NEAR(Find(comparison, 1, "task.piqa.acc").change(), 0.2, 1e-12);
}

TEST(FormsInComparisonsTest, EachFormHasAColumn) {
  v1::Report first = ComparedReport({}), second = ComparedReport({.job_id = "job-2", .lost = 2});
  AddFiveShots(30, first);
  AddFiveShots(1, second);
  const v1::ReportComparison comparison = Compare({{"job-1", first}, {"job-2", second}});
  const std::vector<std::string> figures = Figures(comparison);
  EXPECT_THAT(figures, Contains("task.piqa:0shot.acc"));
  EXPECT_THAT(figures, Contains("task.piqa:5shot.acc"));
  EXPECT_THAT(figures, Contains("task.copa.acc"));
  EXPECT_THAT(figures, Not(Contains("task.piqa.acc")));
  EXPECT_NEAR(Find(comparison, 1, "task.piqa:0shot.acc").value(), 0.5, 1e-12);
  EXPECT_NEAR(Find(comparison, 1, "task.piqa:5shot.acc").value(), 0.3, 1e-12);
  EXPECT_NEAR(Find(comparison, 1, "task.piqa:5shot.acc").change(), 0.3, 1e-12);
  EXPECT_NEAR(Find(comparison, 2, "task.piqa:5shot.acc").value(), 0.59, 1e-12);
  // The mean counts each form as a task.
  EXPECT_NEAR(Find(comparison, 1, "mean_accuracy").value(), (0.5 + 0.5 + 0.3) / 3, 1e-12);
}

TEST(FormsInComparisonsTest, AFormThatOneJobLacksIsNoConflict) {
  v1::Report first = ComparedReport({});
  AddFiveShots(30, first);
  const v1::ReportComparison comparison =
      Compare({{"job-1", first}, {"job-2", ComparedReport({.job_id = "job-2", .lost = 2})}});
  EXPECT_FALSE(Find(comparison, 2, "task.piqa:5shot.acc").measured());
  EXPECT_TRUE(Find(comparison, 2, "task.piqa:0shot.acc").measured());
}

TEST(FormsInComparisonsTest, OtherShotsAloneAreAConflictThatSaysSo) {
  v1::Report first = ComparedReport({}), second = ComparedReport({.job_id = "job-2", .hash = "q"});
  for (v1::TaskResult& task : *first.mutable_tasks()) task.set_protocol("piqa.jsonl, 100 items, 0 shots");
  for (v1::TaskResult& task : *second.mutable_tasks()) {
    task.set_few_shot(5);
    task.set_protocol("piqa.jsonl, 100 items, 5 shots");
  }
  const absl::Status refused = CompareReports({{"job-1", first}, {"job-2", second}}, {}).status();
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("task piqa: job-1 has protocol piqap (piqa.jsonl, 100 items, 0 shots), job-2 has piqaq "
                        "(piqa.jsonl, 100 items, 5 shots)"));
  const v1::ReportComparison forced = Compare({{"job-1", first}, {"job-2", second}}, {.force = true});
  EXPECT_TRUE(Find(forced, 1, "task.piqa.acc").measured());
  EXPECT_TRUE(Find(forced, 2, "task.piqa.acc").measured());
}

TEST(FormsInComparisonsTest, TextsUnderOneConventionAreNamedByTheirProtocol) {
  v1::Report report = ComparedReport({});
  const v1::Report other = ComparedReport({.perplexity_ratio = 1.5, .hash = "q"});
  for (int i = 0; i < 2; ++i) {
    *report.add_perplexity() = other.perplexity(i);
    report.mutable_perplexity(2 + i)->set_protocol("windows of 50 tokens");
  }
  report.mutable_recipe()->mutable_evaluate()->add_perplexity()->set_dataset("wiki");
  const v1::ReportComparison comparison = Compare({{"job-1", report}});
  EXPECT_NEAR(Find(comparison, 1, "perplexity[wiki:windows:windows of 100 tokens]").change(), 1.2, 1e-9);
  EXPECT_NEAR(Find(comparison, 1, "perplexity[wiki:windows:windows of 50 tokens]").change(), 1.5, 1e-9);
}

}  // namespace
}  // namespace tersor
