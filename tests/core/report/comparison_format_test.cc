#include "core/report/comparison_format.h"

#include <limits>

#include "core/compare/comparison.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/core/compare/compared_report.h"

namespace tersor {
namespace {

using nlohmann::json;
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
  EXPECT_THAT(text, HasSubstr("3 models compared; no other beats 3 of them in mean_accuracy against bytes."));
  EXPECT_THAT(text, HasSubstr("\nModels\n"));
  EXPECT_THAT(text, HasSubstr("\nPareto fronts\n"));
  EXPECT_THAT(text, HasSubstr("\nChanges against the dense original\n"));
  EXPECT_THAT(text, HasSubstr("drop 0.100"));
  EXPECT_THAT(text, HasSubstr("0.5000 +- 0.049"));
  EXPECT_THAT(text, HasSubstr("80.0 MB"));
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
  EXPECT_THAT(csv, HasSubstr("model,job_id,dense,figure,kind,value,standard_error,change,low,high,confidence,hash\n"));
  EXPECT_THAT(csv, HasSubstr("\njob-1,job-1,false,task.piqa.acc,quality,0.5,0.049,0.1,"));
  // Neither a formula nor a broken row.
  EXPECT_THAT(csv, HasSubstr("\n\"'=1+1,\"\"x\"\"\",job-2,false,bytes,size,140000000.0,0.0,,,,,\n"));
}

TEST(ComparisonFormatTest, JsonLinesAreObjects) {
  v1::ReportComparison comparison = Comparison();
  comparison.mutable_models(1)->mutable_values(0)->set_value(std::numeric_limits<double>::infinity());
  const std::string lines = ComparisonToJsonLines(comparison);
  int count = 0;
  for (size_t at = 0; at < lines.size(); ++count) {
    const size_t end = lines.find('\n', at);
    const json row = json::parse(lines.substr(at, end - at));
    EXPECT_EQ(row.size(), 12);
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
  const json document = json::parse(ReportToLmEval(report, "compressed"));
  EXPECT_EQ(document["results"]["piqa"]["alias"], "piqa");
  EXPECT_EQ(document["results"]["piqa"]["acc,none"], 0.5);
  EXPECT_EQ(document["results"]["piqa"]["acc_stderr,none"], 0.049);
  EXPECT_EQ(document["versions"]["piqa"], 1.0);
  EXPECT_EQ(document["n-shot"]["piqa"], 0);
  EXPECT_EQ(document["n-samples"]["piqa"], json({{"original", 100}, {"effective", 100}}));
  EXPECT_EQ(document["higher_is_better"]["piqa"]["acc"], true);
  EXPECT_EQ(document["configs"]["piqa"]["num_fewshot"], 0);
  EXPECT_EQ(document["model_name"], "Smol-compressed");
  EXPECT_EQ(document["config"]["model_sha"], "abc");
  EXPECT_TRUE(document["results"]["wikitext_wiki"].contains("word_perplexity,none"));
  EXPECT_EQ(json::parse(ReportToLmEval(report, "dense"))["results"]["piqa"]["acc,none"], 0.6);
}

}  // namespace
}  // namespace tersor
