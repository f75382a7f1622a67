#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "tests/client/cli/command_fixture.h"

namespace tersor::client {
namespace {

using ::testing::HasSubstr;

constexpr char kRecipe[] = "model: m\nstages:\n  - quantize: {method: rtn, bits: 9}\n";

class SubmitCommandTest : public CommandTest {
 protected:
  SubmitCommandTest() : recipe_(Write("recipe.yaml", kRecipe)) {}
  std::string recipe_;
};

TEST_F(SubmitCommandTest, PrintsTheJobsId) {
  EXPECT_EQ(Tersor({"submit", recipe_}), 0);
  EXPECT_EQ(out_, "j1\n");
  EXPECT_THAT(err_, HasSubstr("tersor watch j1"));
  server_.state().job.set_cached_from("j0");
  EXPECT_EQ(Tersor({"submit", recipe_}), 0);
  EXPECT_EQ(err_, "answered from j0: tersor report j1\n");
  EXPECT_EQ(server_.state().submits.at(0).recipe().stages(0).quantize().rtn().bits(), 9);
}

TEST_F(SubmitCommandTest, CarriesItsFlags) {
  EXPECT_EQ(Tersor({"submit", "--label", "a=b", "--label", "c=d=e", "--priority", "-3", "--no-cache", "--request-id",
                    "r", "--threads", "2", "--memory", "4GiB", "--parent", "p", recipe_}),
            0);
  const v1::SubmitJobRequest& request = server_.state().submits.at(0);
  EXPECT_EQ(request.labels().at("a"), "b");
  EXPECT_EQ(request.labels().at("c"), "d=e");
  EXPECT_EQ(request.priority(), -3);
  EXPECT_TRUE(request.no_cache());
  EXPECT_EQ(request.request_id(), "r");
  EXPECT_EQ(request.parent(), "p");
  EXPECT_EQ(request.resources().threads(), 2);
  EXPECT_EQ(request.resources().memory_bytes(), int64_t{4} << 30);
}

TEST_F(SubmitCommandTest, ServerFaultsGetTheirLines) {
  server_.state().submit_status =
      ViolationsStatus({{"stages[0].quantize.rtn.bits", "must be 2..8"}, {"model", "is not registered"}});
  EXPECT_EQ(Tersor({"submit", recipe_}), 2);
  EXPECT_THAT(err_, HasSubstr(recipe_ + ":1:8: model: is not registered\n" + recipe_ +
                              ":3:35: stages[0].quantize.bits: must be 2..8\n"));
}

TEST_F(SubmitCommandTest, FaultsOfFlagsNameTheFlags) {
  server_.state().submit_status = ViolationsStatus({{"resources.threads", "99 threads: this server may use 1 to 2"},
                                                    {"labels[bad label]", "a key is letters"},
                                                    {"parent", "no job \"p\""},
                                                    {"resources.memory_bytes", "too many"},
                                                    {"model", "is not registered"}});
  EXPECT_EQ(Tersor({"submit", recipe_}), 2);
  EXPECT_THAT(err_, HasSubstr("tersor: --threads: 99 threads: this server may use 1 to 2\n"));
  EXPECT_THAT(err_, HasSubstr("tersor: --label bad label=...: a key is letters\n"));
  EXPECT_THAT(err_, HasSubstr("tersor: --parent: no job \"p\"\n"));
  EXPECT_THAT(err_, HasSubstr("tersor: --memory: too many\n"));
  EXPECT_THAT(err_, HasSubstr("1 fault in " + recipe_));
}

TEST_F(SubmitCommandTest, AFullDiskOfTheServerIsNotThisMachines) {
  google::rpc::ErrorInfo info;
  info.set_reason("RESOURCE_EXHAUSTED");
  google::rpc::Status details;
  details.add_details()->PackFrom(info);
  server_.state().submit_status = grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "writing: No space left on device",
                                               details.SerializeAsString());
  EXPECT_EQ(Tersor({"submit", recipe_}), 3);
  EXPECT_THAT(err_, HasSubstr("the server's disk is full"));
}

TEST_F(SubmitCommandTest, JunitTellsOfWhatNeverBecameAJob) {
  std::string junit = (folder_ / "out.xml").string();
  EXPECT_EQ(Tersor({"submit", Write("bad.yaml", "modell: m\n"), "--wait", "--junit", junit}), 2);
  EXPECT_THAT(*ReadFile(junit), HasSubstr("errors=\"1\""));
  EXPECT_THAT(*ReadFile(junit), HasSubstr("modell: unknown key"));
  std::filesystem::remove(junit);
  server_.Stop();
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait", "--junit", junit}), 4);
  EXPECT_THAT(*ReadFile(junit), HasSubstr("<error"));
}

TEST_F(SubmitCommandTest, OwnFaultsAreNotEvenSent) {
  EXPECT_EQ(Tersor({"submit", Write("bad.yaml", "modell: m\n")}), 2);
  EXPECT_THAT(err_, HasSubstr("bad.yaml:1:1: modell: unknown key; did you mean \"model\"?"));
  EXPECT_TRUE(server_.state().submits.empty());
}

TEST_F(SubmitCommandTest, WaitsAndExitsByTheVerdict) {
  EndJob(v1::JOB_STATE_SUCCEEDED, v1::VERDICT_PASS);
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait"}), 0);
  EXPECT_THAT(out_, HasSubstr("A summary."));
  EXPECT_THAT(err_, HasSubstr("[ 50%] quantize:rtn: 1/2 blocks"));
  EndJob(v1::JOB_STATE_SUCCEEDED, v1::VERDICT_FAIL);
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait"}), 1);
  EndJob(v1::JOB_STATE_SUCCEEDED, v1::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait"}), 5);
  EndJob(v1::JOB_STATE_CANCELLED, v1::VERDICT_UNSPECIFIED);
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait"}), 6);
}

TEST_F(SubmitCommandTest, WhatIsUndecidedMayPass) {
  EndJob(v1::JOB_STATE_SUCCEEDED, v1::VERDICT_INCONCLUSIVE);
  v1::GateResult* gate = server_.state().report.add_gates();
  gate->set_expression("task_accuracy_drop <= 0.02");
  gate->set_outcome(v1::GATE_OUTCOME_INCONCLUSIVE);
  std::string junit = (folder_ / "out.xml").string();
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait", "--junit", junit}), 5);
  EXPECT_THAT(*ReadFile(junit), HasSubstr("type=\"inconclusive\""));
  server_.state().job.mutable_recipe()->mutable_gating()->set_on_inconclusive("pass");
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait", "--junit", junit, "--on-inconclusive", "pass"}), 0);
  EXPECT_EQ(server_.state().submits.back().recipe().gating().on_inconclusive(), "pass");
  EXPECT_THAT(*ReadFile(junit), HasSubstr("<skipped"));
  EXPECT_EQ(Tersor({"submit", recipe_, "--on-inconclusive", "shrug"}), 2);
}

TEST_F(SubmitCommandTest, AFailedJobTellsWhyAndWritesJunit) {
  EndJob(v1::JOB_STATE_FAILED, v1::VERDICT_UNSPECIFIED);
  server_.state().job.set_status_message("out of memory");
  std::string junit = (folder_ / "out.xml").string();
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait", "--junit", junit}), 3);
  EXPECT_THAT(err_, HasSubstr("j1 failed: out of memory"));
  EXPECT_THAT(err_, HasSubstr("tersor logs j1"));
  EXPECT_THAT(*ReadFile(junit), HasSubstr("out of memory"));
}

TEST_F(SubmitCommandTest, JsonIsTheReportAlone) {
  EndJob(v1::JOB_STATE_SUCCEEDED, v1::VERDICT_PASS);
  std::string junit = (folder_ / "out.xml").string();
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait", "--output", "json", "--junit", junit}), 0);
  EXPECT_EQ(out_.front(), '{');
  EXPECT_THAT(out_, HasSubstr("\"verdict\": \"PASS\""));
  EXPECT_THAT(err_, HasSubstr("quantize:rtn"));
  EXPECT_THAT(*ReadFile(junit), HasSubstr("<testsuite"));
}

TEST_F(SubmitCommandTest, WaitsNoLongerThanItMay) {
  server_.state().events = {StateEvent(1, v1::JOB_STATE_RUNNING)};
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait", "--timeout", "300ms"}), 7);
  EXPECT_THAT(err_, HasSubstr("job j1 has not ended within 300ms"));
  EXPECT_EQ(server_.state().cancels, 0);
}

TEST_F(SubmitCommandTest, NobodyThereIsFour) {
  server_.Stop();
  EXPECT_EQ(Tersor({"submit", recipe_}), 4);
  EXPECT_THAT(err_, HasSubstr(server_.address()));
  EXPECT_THAT(err_, HasSubstr("TERSOR_SERVER"));
}

TEST_F(SubmitCommandTest, WrongUsageIsTwo) {
  EXPECT_EQ(Tersor({"submit"}), 2);
  EXPECT_THAT(err_, HasSubstr("which recipe?"));
  EXPECT_EQ(Tersor({"submit", (folder_ / "none.yaml").string()}), 2);
  EXPECT_THAT(err_, HasSubstr("none.yaml"));
  EXPECT_EQ(Tersor({"submit", recipe_, "--junit", "x.xml"}), 2);
  EXPECT_EQ(Tersor({"submit", recipe_, "--label", "nonsense"}), 2);
  EXPECT_EQ(Tersor({"submit", recipe_, "--wait", "--timeout", "soon"}), 2);
  EXPECT_EQ(Tersor({"submit", recipe_, "--server", "nonsense"}), 2);
  EXPECT_EQ(Tersor({"submit", recipe_, "--threads", "0"}), 2);
  EXPECT_EQ(Tersor({"submit", "--preset", "tiny", "m"}), 2);
  EXPECT_THAT(err_, HasSubstr("known: small, balanced, safe"));
  EXPECT_EQ(Tersor({"submit", "--preset", "small"}), 2);
}

TEST_F(SubmitCommandTest, APresetNeedsNoRecipe) {
  EXPECT_EQ(Tersor({"submit", "--preset", "balanced", "smollm2"}), 0);
  const v1::Recipe& recipe = server_.state().submits.at(0).recipe();
  EXPECT_EQ(recipe.model(), "smollm2");
  EXPECT_EQ(recipe.stages(0).quantize().gptq().bits(), 4);
}

TEST_F(SubmitCommandTest, PathsOfThisMachineBecomeAbsolute) {
  std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  Write("text.txt", "words");
  Write("relative.yaml", "model: ./weights\ncalibration: {dataset: text.txt}\n");
  std::filesystem::create_directories(folder_ / "weights");
  EXPECT_EQ(Tersor({"submit", "relative.yaml"}), 0);
  EXPECT_EQ(server_.state().submits.at(0).recipe().model(), (folder_ / "weights").string());
  EXPECT_EQ(server_.state().submits.at(0).recipe().calibration().dataset(), (folder_ / "text.txt").string());
  EXPECT_EQ(Tersor({"submit", recipe_, "--model", "weights"}), 0);
  EXPECT_EQ(server_.state().submits.at(1).recipe().model(), "weights");
  std::filesystem::current_path(before);
}

}  // namespace
}  // namespace tersor::client
