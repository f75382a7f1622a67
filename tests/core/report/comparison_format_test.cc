#include "core/report/comparison_format.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "core/compare/comparison.h"
#include "core/report/report_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/core/compare/compared_report.h"

namespace tersor {
namespace {

using nlohmann::json;
using testing::AddFiveShots;
using testing::AddRival;
using testing::ComparedReport;
using ::testing::HasSubstr;
using ::testing::Not;

v1::ReportComparison Comparison(const std::string& name = "job-2") {
  return *CompareReports(
      {{"job-1", ComparedReport({})},
       {name, ComparedReport(
                  {.job_id = "job-2", .lost = 2, .perplexity_ratio = 1.05, .bytes = 140'000'000, .decode_rate = 25})}},
      {});
}

TEST(ComparisonFormatTest, TheTableHasModelsFrontsAndChanges) {
  const std::string text = ComparisonToTable(Comparison(), 140);
  EXPECT_THAT(text, HasSubstr("3 models compared by mean of 2 tasks and size: each is the best at its size."));
  EXPECT_THAT(text, HasSubstr("\nModels\n"));
  EXPECT_THAT(text, HasSubstr("\nPareto fronts\n"));
  EXPECT_THAT(text, HasSubstr("\nChanges against the dense original\n"));
  EXPECT_THAT(text, HasSubstr("drop 0.100"));
  EXPECT_THAT(text, HasSubstr("0.5000 +- 0.049"));
  EXPECT_THAT(text, HasSubstr("80.0 MB"));
}

v1::ReportComparison Many(int beaten) {
  std::vector<NamedReport> reports = {{"best", ComparedReport({})}};
  for (int i = 0; i < beaten; ++i) {
    const std::string name = absl::StrCat("worse-", i);
    reports.push_back({name, ComparedReport({.job_id = name, .lost = 12, .bytes = 90'000'000})});
  }
  return *CompareReports(reports, {});
}

TEST(ComparisonFormatTest, TheHeadlineSaysInWordsWhatIsWorthHaving) {
  EXPECT_EQ(ComparisonHeadline(Many(1)),
            "3 models compared by mean of 2 tasks and size: best and dense are the best at their size; for worse-0 "
            "there is a model that is no larger and at least as good.");
  EXPECT_EQ(ComparisonHeadline(Many(6)),
            "8 models compared by mean of 2 tasks and size: 2 of them are the best at their size; for each of the "
            "others there is a model that is no larger and at least as good.");
  v1::Report unmeasured;
  EXPECT_EQ(ComparisonHeadline(*CompareReports({{"a", ComparedReport({})}, {"b", unmeasured}}, {})),
            "3 models compared by perplexity and size: each is the best at its size. 1 lacks one of the two figures.");
  EXPECT_EQ(ComparisonHeadline(*CompareReports({{"b", unmeasured}}, {})), "1 model compared.");
  v1::Report slow = ComparedReport({});
  slow.clear_size();
  EXPECT_EQ(ComparisonHeadline(*CompareReports({{"a", slow}}, {})),
            "2 models compared by mean of 2 tasks and decode latency: each is the best at its decode latency.");
}

v1::ReportComparison WithRival() {
  v1::Report report = ComparedReport({});
  AddRival(false, report);
  return *CompareReports({{"job-1", report}}, {});
}

TEST(ComparisonFormatTest, ARivalStandsInEveryForm) {
  const v1::ReportComparison comparison = WithRival();
  const std::string table = ComparisonToTable(comparison, 160);
  EXPECT_THAT(table, HasSubstr("baseline Tiny"));
  EXPECT_THAT(table, HasSubstr("nothing: a smaller dense model beside the others"));
  EXPECT_THAT(table, HasSubstr("120 MB"));
  EXPECT_THAT(ComparisonToMarkdown(comparison), HasSubstr("baseline Tiny"));
  const std::string html = ComparisonToHtml(comparison);
  // A mark of its own.
  EXPECT_THAT(html, HasSubstr("l6 6l-6 6l-6 -6z"));
  EXPECT_THAT(html, HasSubstr("diamond: baseline model"));
  EXPECT_THAT(ComparisonToHtml(Comparison()), Not(HasSubstr("diamond")));
  EXPECT_THAT(ComparisonToCsv(comparison), HasSubstr("\nbaseline Tiny,,false,bytes,size,120000000.0,,,,,,,true,,\n"));
  EXPECT_THAT(ComparisonToJsonLines(comparison), HasSubstr("\"baseline_model\":true,"));
  EXPECT_THAT(MessageToJson(comparison), HasSubstr("\"baseline_model\": true"));
}

TEST(ComparisonFormatTest, OnlyWhatWasJudgedHasAnOutcome) {
  EXPECT_THAT(ComparisonToTable(Comparison(), 160), Not(HasSubstr("outcome")));
  v1::Report judged = ComparedReport({});
  judged.add_gates();
  const std::string table = ComparisonToTable(*CompareReports({{"job-1", judged}}, {}), 160);
  EXPECT_THAT(table, HasSubstr("outcome"));
  EXPECT_THAT(table, HasSubstr("PASS"));
  EXPECT_THAT(ComparisonToHtml(Comparison()), HasSubstr(">size of the weights<"));
}

TEST(ComparisonFormatTest, MarkdownEscapesNames) {
  const std::string text = ComparisonToMarkdown(Comparison("a|<img src=x>"));
  EXPECT_THAT(text, HasSubstr("#### Pareto fronts\n\n| quality | cost | area |"));
  EXPECT_THAT(text, HasSubstr("a\\|\\<img src=x\\>"));
  EXPECT_THAT(text, HasSubstr("<details><summary>All figures</summary>"));
}

TEST(ComparisonFormatTest, HtmlHasPlotsAndNoNetwork) {
  const std::string html = ComparisonToHtml(Comparison("<script>alert(1)</script>"));
  EXPECT_THAT(html, HasSubstr("<svg class=\"scatter\""));
  EXPECT_THAT(html, HasSubstr("class=\"stairs\""));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* outside : {"<script", "http://", "https://", "src=", "url("}) {
    EXPECT_THAT(html, Not(HasSubstr(outside)));
  }
}

TEST(ComparisonFormatTest, CsvIsARowANumber) {
  const std::string csv = ComparisonToCsv(Comparison("=1+1,\"x\""));
  EXPECT_THAT(csv, HasSubstr("model,job_id,dense,figure,kind,value,standard_error,change,low,high,confidence,hash,"
                             "baseline_model,labels,sweep\n"));
  EXPECT_THAT(csv, HasSubstr("\njob-1,job-1,false,task.piqa.acc,quality,0.5,0.049,0.1,"));
  // Neither a formula nor a broken row.
  EXPECT_THAT(csv, HasSubstr("\n\"'=1+1,\"\"x\"\"\",job-2,false,bytes,size,140000000.0,,,,,,,false,,\n"));
}

TEST(ComparisonFormatTest, JsonLinesAreObjects) {
  v1::ReportComparison comparison = Comparison();
  comparison.mutable_models(1)->mutable_values(0)->set_value(std::numeric_limits<double>::infinity());
  const std::string lines = ComparisonToJsonLines(comparison);
  int count = 0;
  for (size_t at = 0; at < lines.size(); ++count) {
    const size_t end = lines.find('\n', at);
    const json row = json::parse(lines.substr(at, end - at));
    EXPECT_EQ(row.size(), 15);
    EXPECT_EQ(row["standard_error"].is_null(), row["kind"] != "quality" || row["figure"] == "kl_mean" ||
                                                   row["figure"] == "kl_p99" || row["figure"] == "top1_agreement");
    if (row["model"] == "job-1" && row["figure"] == "mean_accuracy") {
      EXPECT_TRUE(row["value"].is_null());
    }
    if (row["model"] == "job-2" && row["figure"] == "task.copa.acc") {
      EXPECT_NEAR(row["change"].get<double>(), 0.02, 1e-12);
    }
    at = end + 1;
  }
  EXPECT_EQ(count, 7 + 2 * 10);
}

TEST(ComparisonFormatTest, LmEvalsSchema) {
  v1::Report report = ComparedReport({});
  report.mutable_recipe()->mutable_evaluate()->mutable_perplexity(0)->set_convention("words");
  (*report.mutable_labels())["name"] = "release";
  const json document = json::parse(ReportToLmEval(report, "compressed"));
  EXPECT_EQ(document["results"]["piqa"]["alias"], "piqa");
  EXPECT_EQ(document["results"]["piqa"]["acc,none"], 0.5);
  EXPECT_EQ(document["results"]["piqa"]["acc_stderr,none"], 0.049);
  EXPECT_EQ(document["tersor_labels"], json({{"name", "release"}}));
  report.mutable_tasks(2)->mutable_metrics(0)->clear_standard_error();
  EXPECT_EQ(json::parse(ReportToLmEval(report, "compressed"))["results"]["piqa"]["acc_stderr,none"], "N/A");
  EXPECT_EQ(document["versions"]["piqa"], 1.0);
  EXPECT_EQ(document["n-shot"]["piqa"], 0);
  EXPECT_EQ(document["n-samples"]["piqa"], json({{"original", 100}, {"effective", 100}}));
  EXPECT_EQ(document["higher_is_better"]["piqa"]["acc"], true);
  EXPECT_EQ(document["configs"]["piqa"]["num_fewshot"], 0);
  EXPECT_EQ(document["model_name"], "Smol-compressed");
  EXPECT_EQ(document["config"]["model_sha"], "abc");
  EXPECT_TRUE(document["results"]["wikitext_wiki"].contains("word_perplexity,none"));
  EXPECT_GT(document["results"]["wikitext_wiki"]["word_perplexity_stderr,none"], 0.1);
  EXPECT_EQ(json::parse(ReportToLmEval(report, "dense"))["results"]["piqa"]["acc,none"], 0.6);
}

TEST(ComparisonFormatTest, LmEvalsSchemaHasRivalsAndForms) {
  v1::Report report = ComparedReport({});
  AddRival(false, report);
  const json rival = json::parse(ReportToLmEval(report, "baseline_model"));
  EXPECT_EQ(rival["model_name"], "Tiny");
  EXPECT_EQ(rival["config"]["model_args"], "pretrained=/models/tiny,job=job-1");
  EXPECT_EQ(rival["config"]["model_sha"], "def");
  EXPECT_EQ(rival["config"]["model_num_parameters"], 60'000'000);
  EXPECT_EQ(rival["results"]["piqa"]["acc,none"], 0.4);
  report.mutable_baseline_model()->set_name("Smol");
  EXPECT_EQ(LmEvalModelName(report, "baseline_model"), "Smol-baseline");
  AddFiveShots(30, report);
  const json forms = json::parse(ReportToLmEval(report, "compressed"));
  EXPECT_EQ(forms["results"].size(), 3);
  EXPECT_EQ(forms["results"]["piqa:0shot"]["acc,none"], 0.5);
  EXPECT_EQ(forms["results"]["piqa:5shot"]["acc,none"], 0.3);
  EXPECT_EQ(forms["n-shot"]["piqa:5shot"], 5);
  EXPECT_EQ(forms["configs"]["piqa:5shot"]["task"], "piqa");
}

}  // namespace
}  // namespace tersor
