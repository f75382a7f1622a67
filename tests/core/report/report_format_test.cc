#include "core/report/report_format.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/report/escape.h"
#include "core/report/verdict_sentence.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/core/report/sample_report.h"

namespace tersor {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kNasty[] = "</td><script>alert(1)</script>|`@team`\x1B[31m\n\"'&";

// Every text that a user can set holds markup.
v1::Report NastyReport() {
  v1::Report report = testing::SampleReport();
  report.set_job_id(kNasty);
  report.mutable_model()->set_name(kNasty);
  report.mutable_model()->set_path(kNasty);
  report.mutable_recipe()->set_description(kNasty);
  report.mutable_perplexity(0)->set_dataset(kNasty);
  report.mutable_perplexity(1)->set_dataset(kNasty);
  report.mutable_gates(0)->set_expression(kNasty);
  report.mutable_gates(0)->set_reason(kNasty);
  report.mutable_gates(0)->set_outcome(v1::GATE_OUTCOME_FAIL);
  report.mutable_artifacts(0)->set_path(kNasty);
  report.mutable_layers(0)->set_name(kNasty);
  report.mutable_layers(0)->set_note(kNasty);
  report.mutable_warnings(0)->set_message(kNasty);
  report.mutable_load_commands(0)->set_program(kNasty);
  report.set_verdict(v1::VERDICT_FAIL);
  return report;
}

TEST(VerdictSentenceTest, SaysSizeQualityAndGates) {
  v1::Report report = testing::SampleReport();
  EXPECT_EQ(VerdictSentence(report), "PASS: 3.2 times smaller, perplexity 17.05 -> 21.17 (x1.24), all 2 gates passed.");
  report.mutable_gates()->RemoveLast();
  EXPECT_THAT(VerdictSentence(report), EndsWith(", the gate passed."));
  report.clear_gates();
  EXPECT_THAT(VerdictSentence(report), EndsWith(", no gates."));
}

TEST(VerdictSentenceTest, NamesTheGatesThatDidNotPass) {
  v1::Report report = testing::SampleReport();
  report.set_verdict(v1::VERDICT_FAIL);
  report.mutable_gates(0)->set_outcome(v1::GATE_OUTCOME_FAIL);
  report.mutable_gates(1)->set_outcome(v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_EQ(VerdictSentence(report),
            "FAIL: 3.2 times smaller, perplexity 17.05 -> 21.17 (x1.24), 1 of 2 gates failed: perplexity_ratio <= 1.3 "
            "(perplexity_ratio is 1.24155); 1 of 2 gates undecided: kl_mean <= 0.3 (kl_mean is 0.2134).");
}

TEST(VerdictSentenceTest, SaysWhenItIsAnEarlierAnswer) {
  v1::Report report = testing::SampleReport();
  report.set_cached_from("job-3");
  EXPECT_THAT(VerdictSentence(report), EndsWith("Nothing changed since job job-3: its answer."));
}

TEST(VerdictSentenceTest, DenseModelAlone) {
  v1::Report report;
  v1::PerplexityResult* dense = report.add_perplexity();
  dense->set_subject("dense");
  dense->set_value(17.05);
  report.set_verdict(v1::VERDICT_PASS);
  EXPECT_EQ(VerdictSentence(report), "PASS: perplexity 17.05, no gates.");
}

TEST(ReportToTableTest, OpensWithTheVerdictAndEndsWithTheCommands) {
  const std::string table = ReportToTable(testing::SampleReport());
  EXPECT_THAT(table, StartsWith("PASS: 3.2 times smaller, perplexity 17.05 -> 21.17 (x1.24), all 2 gates passed.\n"));
  EXPECT_THAT(table, EndsWith("  transformers\n    from transformers import AutoModelForCausalLM\n    model = "
                              "AutoModelForCausalLM.from_pretrained(\"artifacts/compressed-tensors\")\n"));
  EXPECT_THAT(table, HasSubstr("\n    llama-cli -m artifacts/SmolLM2-135M-Instruct.Q4_0.gguf -p \"Hello\"\n"));
}

TEST(ReportToTableTest, HasEverySection) {
  const std::string table = ReportToTable(testing::SampleReport());
  for (const char* expected : {"\nSize\n",
                               "269 MB",
                               "3.18x",
                               "3.76x",
                               "\nPerplexity\n",
                               "17.05 \u00b1",
                               "1.24x",
                               "\nDivergence from the dense model\n",
                               "0.2134",
                               "81.2 %",
                               "\nSpeed\n",
                               "480 (471-489)",
                               "\nGates\n",
                               "perplexity_ratio <= 1.3",
                               "\nWarnings\n",
                               "FACTORIZATION_DAMPED",
                               "\nLayers\n",
                               "model.layers.29.mlp.down_proj",
                               "\nStages\n",
                               "quantize:gptq",
                               "reused",
                               "\nFiles\n",
                               "SmolLM2-135M-Instruct.Q4_0.gguf",
                               "210 layers; the largest relative"}) {
    EXPECT_THAT(table, HasSubstr(expected));
  }
  EXPECT_THAT(table, Not(HasSubstr("model.layers.3.mlp.up_proj")));
}

TEST(ReportToTableTest, NamesTheJobByItsLabels) {
  v1::Report report = testing::SampleReport();
  (*report.mutable_labels())["name"] = "release";
  (*report.mutable_labels())["branch"] = "main";
  EXPECT_THAT(ReportToTable(report), HasSubstr("release branch=main\n"));
  EXPECT_THAT(ReportToMarkdown(report), HasSubstr("release branch=main"));
  EXPECT_THAT(ReportToHtml(report), HasSubstr("<title>PASS: SmolLM2-135M-Instruct, release branch=main - Tersor"));
  EXPECT_THAT(MessageToJson(report), HasSubstr("\"labels\": {\n    \"branch\": \"main\","));
}

TEST(ReportToTableTest, ShowsTheMemoryThatWasMeasured) {
  v1::Report report = testing::SampleReport();
  EXPECT_THAT(ReportToTable(report), Not(HasSubstr("Memory of the weights")));
  for (const auto& [subject, bytes] :
       {std::pair<const char*, int64_t>{"dense", 600'000'000}, {"compressed", 150'000'000}}) {
    v1::WeightMemory* memory = report.add_weight_memory();
    memory->set_subject(subject);
    memory->set_computed_bytes(bytes + 30'000'000);
    memory->set_mapped_bytes(28'000'000);
    memory->set_measured_bytes(bytes);
  }
  for (const std::string& text : {ReportToTable(report), ReportToMarkdown(report), ReportToHtml(report)}) {
    EXPECT_THAT(text, HasSubstr("Memory of the weights"));
    EXPECT_THAT(text, HasSubstr("600 MB"));
    EXPECT_THAT(text, HasSubstr("150 MB"));
    EXPECT_THAT(text, HasSubstr("4.00x"));
  }
}

TEST(ReportToTableTest, ColumnsAreAligned) {
  const std::vector<std::string> lines = absl::StrSplit(ReportToTable(testing::SampleReport()), '\n');
  const auto line = [&](absl::string_view start) {
    for (const std::string& candidate : lines) {
      if (absl::StrContains(candidate, start)) return candidate;
    }
    return std::string();
  };
  const std::string header = line("speedup"), row = line("prefill, 512 tokens");
  EXPECT_EQ(header.find("dense") + 5, row.find("(471-489)") + 9);
}

TEST(ReportToTableTest, NarrowTerminalsWrapTheLastColumn) {
  const std::string table = ReportToTable(testing::SampleReport(), 80);
  EXPECT_THAT(table, Not(HasSubstr("damping was raised to 0.1, because the second moment could not be factored")));
  EXPECT_THAT(table, HasSubstr("damping was raised to"));
}

TEST(ReportToTableTest, NoControlCharactersReachTheTerminal) {
  const std::string table = ReportToTable(NastyReport());
  EXPECT_THAT(table, Not(HasSubstr("\x1B")));
}

TEST(ReportToTableTest, EmptyReportStillHasAVerdict) {
  EXPECT_EQ(ReportToTable(v1::Report()), "NO VERDICT: no gates.\n");
}

TEST(ReportToMarkdownTest, IsATableAndKeepsCommandsWordForWord) {
  const std::string text = ReportToMarkdown(testing::SampleReport());
  EXPECT_THAT(text, StartsWith("### Tersor: PASS: "));
  EXPECT_THAT(text, HasSubstr("| gate | value | interval | outcome | reason |\n| --- | ---: | ---: | --- | --- |\n"));
  EXPECT_THAT(text, HasSubstr("```\nllama-cli -m artifacts/SmolLM2-135M-Instruct.Q4_0.gguf -p \"Hello\"\n```"));
}

TEST(ReportToMarkdownTest, LayersShowWhatTheMethodDidThere) {
  v1::Report report = testing::SampleReport();
  EXPECT_THAT(ReportToMarkdown(report), HasSubstr("| 0.100 | 3 | 1.25% | damping raised to 0.1 |"));
  v1::LayerResult& layer = *report.mutable_layers(209);
  layer.clear_damping();
  layer.clear_dead_columns();
  layer.clear_outlier_share();
  EXPECT_THAT(ReportToMarkdown(report), HasSubstr("|  |  |  | damping raised to 0.1 |"));
}

TEST(ReportToMarkdownTest, UserTextCannotBreakOut) {
  v1::Report report = NastyReport();
  report.mutable_load_commands(1)->set_command("```\n<img src=x>");
  const std::string text = ReportToMarkdown(report);
  EXPECT_THAT(text, Not(HasSubstr("<script>")));
  EXPECT_THAT(text, Not(HasSubstr("@team")));
  EXPECT_THAT(text, HasSubstr("\n````\n```\n<img src=x>\n````\n"));
}

TEST(ReportToHtmlTest, IsOnePageWithoutTheNetwork) {
  const std::string html = ReportToHtml(testing::SampleReport());
  EXPECT_THAT(
      html, AllOf(StartsWith("<!DOCTYPE html>"), EndsWith("</main></body></html>\n"), HasSubstr("<svg class=\"bars\""),
                  HasSubstr("<svg class=\"profile\""), HasSubstr("@media print")));
  EXPECT_THAT(html, AllOf(Not(HasSubstr("http:")), Not(HasSubstr("https:")), Not(HasSubstr("src=")),
                          Not(HasSubstr("<script"))));
}

TEST(ReportToHtmlTest, UserTextIsEscaped) {
  const std::string html = ReportToHtml(NastyReport());
  EXPECT_THAT(html, AllOf(Not(HasSubstr("<script>")), HasSubstr("&lt;script&gt;"), Not(HasSubstr("\x1B"))));
}

TEST(ReportToJunitTest, OneCaseAGate) {
  EXPECT_EQ(
      ReportToJunit(testing::SampleReport()),
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"tersor\" tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"0\" time=\"34.750\">\n"
      "  <testsuite name=\"tersor job-7\" tests=\"2\" failures=\"0\" errors=\"0\" skipped=\"0\" time=\"34.750\">\n"
      "    <testcase classname=\"tersor.gates\" name=\"perplexity_ratio &lt;= 1.3\"/>\n"
      "    <testcase classname=\"tersor.gates\" name=\"kl_mean &lt;= 0.3\"/>\n"
      "    <system-out>PASS: 3.2 times smaller, perplexity 17.05 -&gt; 21.17 (x1.24), all 2 gates passed."
      "</system-out>\n  </testsuite>\n</testsuites>\n");
}

TEST(ReportToJunitTest, FailedAndInconclusiveGates) {
  v1::Report report = testing::SampleReport();
  report.mutable_gates(0)->set_outcome(v1::GATE_OUTCOME_FAIL);
  report.mutable_gates(1)->set_outcome(v1::GATE_OUTCOME_INCONCLUSIVE);
  EXPECT_THAT(ReportToJunit(report), AllOf(HasSubstr("failures=\"2\""), HasSubstr("<failure type=\"gate\" message=\""),
                                           HasSubstr("<failure type=\"inconclusive\" message=\"")));
  EXPECT_THAT(ReportToJunit(report, InconclusiveCase::kSkipped),
              AllOf(HasSubstr("failures=\"1\" errors=\"0\" skipped=\"1\""), HasSubstr("<skipped message=\"")));
}

TEST(ReportToJunitTest, UserTextIsEscaped) {
  EXPECT_THAT(ReportToJunit(NastyReport()), AllOf(Not(HasSubstr("<script>")), Not(HasSubstr("\x1B"))));
}

TEST(ReportToJunitTest, WithoutGatesOneCasePasses) {
  v1::Report report = testing::SampleReport();
  report.clear_gates();
  EXPECT_THAT(ReportToJunit(report), HasSubstr("<testcase classname=\"tersor.gates\" name=\"compressed\"/>"));
}

TEST(ReportToJunitTest, AFigureThatIsNoNumberIsAFailure) {
  v1::Report report = testing::SampleReport();
  report.clear_gates();
  report.clear_summary();
  report.set_verdict(v1::VERDICT_FAIL);
  report.mutable_perplexity(0)->set_value(std::numeric_limits<double>::quiet_NaN());
  const std::string name =
      absl::StrCat("perplexity of ", report.perplexity(0).dataset(), " (", report.perplexity(0).subject(), ")");
  EXPECT_THAT(VerdictSentence(report), HasSubstr(absl::StrCat(name, " is no finite number")));
  EXPECT_THAT(ReportToJunit(report), AllOf(HasSubstr("failures=\"1\""), HasSubstr("name=\"figures\""),
                                           HasSubstr(absl::StrCat("no finite number: ", name))));
}

TEST(ReportToJunitTest, AFailedJobIsAnError) {
  EXPECT_THAT(
      JobFailureToJunit("job-7", "out of memory <3 times>"),
      AllOf(HasSubstr("errors=\"1\""), HasSubstr("<error type=\"job\" message=\"out of memory &lt;3 times&gt;\"/>")));
}

}  // namespace
}  // namespace tersor
