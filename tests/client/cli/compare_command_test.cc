#include "core/base/atomic_file.h"
#include "core/report/report_format.h"
#include "tests/client/cli/command_fixture.h"
#include "tests/core/compare/compared_report.h"

namespace tersor::client {
namespace {

using tersor::testing::ComparedReport;
using ::testing::HasSubstr;

class CompareCommandTest : public CommandTest {
 protected:
  std::string WriteReport(const std::string& folder, const tersor::testing::ReportShape& shape) {
    std::filesystem::create_directories(folder_ / folder / "artifacts");
    v1::Report report = ComparedReport(shape);
    // As `tersor run` writes it.
    report.clear_job_id();
    return Write(folder + "/artifacts/report.json", MessageToJson(report));
  }
};

TEST_F(CompareCommandTest, ReadsFilesAndFoldersWithoutAServer) {
  server_.Stop();
  const std::string a = WriteReport("a", {});
  WriteReport("b", {.lost = 2, .bytes = 140'000'000});
  EXPECT_EQ(Tersor({"compare", a, (folder_ / "b").string()}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("3 models compared"));
  EXPECT_EQ(Tersor({"compare", a, (folder_ / "b/artifacts").string(), "--format", "csv"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("\na,,false,bytes,size,80000000.0,"));
  EXPECT_THAT(out_, HasSubstr("\nb,,false,bytes,size,140000000.0,"));
  EXPECT_EQ(Tersor({"compare", a, "--output", "json"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"fronts\": ["));
  const std::string page = (folder_ / "out.html").string();
  EXPECT_EQ(Tersor({"compare", a, "--format", "html", "--into", page}), 0);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(*ReadFile(page), HasSubstr("<svg"));
}

TEST_F(CompareCommandTest, ASweepsWorkspaceIsComparedByItsPoints) {
  server_.Stop();
  v1::Report sweep;
  sweep.set_tersor_version("0.1.0");
  for (const std::string name : {"bits=3", "bits=4"}) {
    WriteReport("w/points/" + name, {.bytes = name == "bits=3" ? 60'000'000 : 80'000'000});
    v1::SweepResult::Point* point = sweep.mutable_sweep()->add_points();
    point->set_name("method=gptq " + name);
    point->set_job_id(name);
  }
  std::filesystem::create_directories(folder_ / "w/artifacts");
  const std::string report = Write("w/artifacts/report.json", MessageToJson(sweep));
  for (const std::string& named : {report, (folder_ / "w").string()}) {
    EXPECT_EQ(Tersor({"compare", named, "--format", "csv"}), 0) << err_;
    EXPECT_THAT(out_, HasSubstr("\nmethod=gptq bits=3,,false,bytes,size,60000000.0,"));
    EXPECT_THAT(out_, HasSubstr("\nmethod=gptq bits=4,,false,bytes,size,80000000.0,"));
  }
  const std::string alone = Write("alone.json", MessageToJson(sweep));
  EXPECT_EQ(Tersor({"compare", alone}), 2);
  EXPECT_THAT(err_, HasSubstr("name the workspace that the sweep was run in"));
}

TEST_F(CompareCommandTest, OtherProtocolsAreRefusedUnlessForced) {
  const std::string a = WriteReport("a", {}), b = WriteReport("b", {.hash = "other"});
  EXPECT_EQ(Tersor({"compare", a, b}), 2);
  EXPECT_THAT(err_, HasSubstr("task piqa: a has protocol piqap, b has piqaother"));
  EXPECT_EQ(Tersor({"compare", a, b, "--force"}), 0);
  EXPECT_THAT(err_, HasSubstr("warning PROTOCOLS_DIFFER"));
}

TEST_F(CompareCommandTest, JobsAreComparedByTheServer) {
  server_.state().report = ComparedReport({.job_id = "j1"});
  EXPECT_EQ(Tersor({"compare", "j1", "--format", "jsonl"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("{\"model\":\"j1\",\"job_id\":\"j1\""));
  EXPECT_EQ(Tersor({"compare", "j1", "j2"}), 2);
  EXPECT_THAT(err_, HasSubstr("j2 is not known"));
  // One of each: the job's report comes here.
  const std::string a = WriteReport("a", {});
  EXPECT_EQ(Tersor({"compare", "j1", a}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("3 models compared"));
}

TEST_F(CompareCommandTest, LmEvalsFilesLieByModel) {
  const std::string a = WriteReport("a", {}), into = (folder_ / "results").string();
  EXPECT_EQ(Tersor({"compare", a, "--format", "lm-eval"}), 2);
  EXPECT_EQ(Tersor({"compare", a, "--format", "lm-eval", "--into", into}), 0) << err_;
  EXPECT_THAT(*ReadFile(into + "/Smol/results_a.json"), HasSubstr("\"acc,none\": 0.6"));
  EXPECT_THAT(*ReadFile(into + "/Smol-compressed/results_a.json"), HasSubstr("\"acc,none\": 0.5"));
}

TEST_F(CompareCommandTest, RivalsHaveARowAndAFile) {
  v1::Report report = ComparedReport({.job_id = "j1"});
  tersor::testing::AddRival(false, report);
  server_.state().report = report;
  EXPECT_EQ(Tersor({"compare", "j1", "--format", "csv"}), 0) << err_;
  EXPECT_THAT(out_, HasSubstr("\nbaseline Tiny,,false,bytes,size,120000000.0,"));
  const std::string into = (folder_ / "results").string();
  EXPECT_EQ(Tersor({"compare", "j1", "--format", "lm-eval", "--into", into}), 0) << err_;
  EXPECT_THAT(*ReadFile(into + "/Tiny/results_j1.json"), HasSubstr("\"acc,none\": 0.4"));
}

TEST_F(CompareCommandTest, BadFilesAreNamed) {
  EXPECT_EQ(Tersor({"compare", Write("x.json", "{}")}), 2);
  EXPECT_THAT(err_, HasSubstr("x.json: it is no report"));
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_EQ(Tersor({"compare", (folder_ / "empty").string()}), 2);
  EXPECT_THAT(err_, HasSubstr("the folder holds no report.json"));
  EXPECT_EQ(Tersor({"compare"}), 2);
  EXPECT_EQ(Tersor({"compare", "x", "--confidence", "2"}), 2);
}

}  // namespace
}  // namespace tersor::client
