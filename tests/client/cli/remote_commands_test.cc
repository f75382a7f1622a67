#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "tests/client/cli/command_fixture.h"

namespace tersor::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class RemoteCommandsTest : public CommandTest {};

TEST_F(RemoteCommandsTest, HelpTeachesAndUsageErrorsAreTwo) {
  EXPECT_EQ(Tersor({"--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("Exit codes: 0 passed, 1 a gate failed"));
  EXPECT_EQ(Tersor({"--version"}), 0);
  EXPECT_EQ(out_, "tersor " TERSOR_VERSION "\n");
  EXPECT_EQ(Tersor({}), 2);
  EXPECT_EQ(Tersor({"frobnicate"}), 2);
  EXPECT_THAT(err_, HasSubstr("unknown command \"frobnicate\"; `tersor --help` lists those there are"));
  EXPECT_EQ(Tersor({"validte", "x"}), 2);
  EXPECT_THAT(err_, HasSubstr("unknown command \"validte\"; did you mean \"validate\"?"));
  EXPECT_EQ(Tersor({"models", "psh", "x"}), 2);
  EXPECT_THAT(err_, HasSubstr("unknown command \"psh\"; did you mean \"push\"?"));
  EXPECT_EQ(Tersor({"help"}), 0);
  EXPECT_THAT(out_, HasSubstr("First steps:"));
  EXPECT_EQ(Tersor({"help", "models", "push"}), 0);
  EXPECT_THAT(out_, HasSubstr("Send a model from this machine"));
  EXPECT_EQ(Tersor({"help", "lst"}), 2);
  EXPECT_THAT(err_, HasSubstr("did you mean \"list\"?"));
  EXPECT_EQ(Tersor({"list", "--frobnicate"}), 2);
  EXPECT_EQ(Tersor({"report", "j1", "--format", "pdf"}), 2);
  EXPECT_EQ(Tersor({"models"}), 2);
  EXPECT_EQ(Tersor({"status"}), 2);
  for (const char* command :
       {"run", "init",   "validate", "submit",   "estimate", "list",  "status",  "watch",    "logs",     "cancel",
        "gc",  "report", "compare",  "download", "models",   "token", "methods", "tokenize", "generate", "doctor"}) {
    EXPECT_EQ(Tersor({command, "--help"}), 0) << command;
    EXPECT_THAT(out_, HasSubstr(command));
  }
}

TEST_F(RemoteCommandsTest, ListIsATable) {
  v1::Job job;
  job.set_id("j7");
  job.set_state(v1::JOB_STATE_RUNNING);
  job.mutable_progress()->set_fraction(0.43);
  job.mutable_recipe()->set_model("smollm2");
  job.mutable_recipe()->add_stages()->mutable_quantize()->mutable_gptq();
  (*job.mutable_labels())["team"] = "search";
  server_.state().jobs = {job};
  EXPECT_EQ(Tersor({"list", "--state", "running", "--label", "team=search"}), 0);
  EXPECT_THAT(out_, HasSubstr("running 43%"));
  EXPECT_THAT(out_, HasSubstr("quantize:gptq"));
  EXPECT_THAT(out_, HasSubstr("team=search"));
  EXPECT_EQ(Tersor({"list", "--output", "json"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"id\": \"j7\""));
  server_.state().jobs.clear();
  EXPECT_EQ(Tersor({"list"}), 0);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(Tersor({"list", "--method", "rtn"}), 0);
  EXPECT_EQ(err_, "no jobs\n");
  EXPECT_EQ(Tersor({"list", "--method", "rtm"}), 2);
  EXPECT_THAT(err_, HasSubstr("method \"rtm\" is not known; did you mean \"rtn\"?"));
  EXPECT_EQ(Tersor({"list", "--limit", "many"}), 2);
  EXPECT_THAT(err_, HasSubstr("\"many\" is no whole number"));
  EXPECT_EQ(Tersor({"list", "--limit", "0"}), 2);
  EXPECT_THAT(err_, HasSubstr("0 is not between 1 and 1000000"));
  job.set_state(v1::JOB_STATE_SUCCEEDED);
  job.set_verdict(v1::VERDICT_PASS);
  job.set_cached_from("j6");
  server_.state().jobs = {job};
  EXPECT_EQ(Tersor({"list"}), 0);
  EXPECT_THAT(out_, HasSubstr("succeeded PASS (cached)"));
}

TEST_F(RemoteCommandsTest, StatusTellsEverything) {
  server_.state().job.set_state(v1::JOB_STATE_FAILED);
  server_.state().job.set_status_reason("OUT_OF_MEMORY");
  server_.state().job.set_status_message("needs 4 GB\033[2J");
  EXPECT_EQ(Tersor({"status", "j1"}), 0);
  EXPECT_THAT(out_, HasSubstr("failed OUT_OF_MEMORY"));
  EXPECT_THAT(out_, HasSubstr("needs 4 GB"));
  EXPECT_THAT(out_, Not(HasSubstr("\033")));
  EXPECT_EQ(Tersor({"status", "j2"}), 2);
  EXPECT_THAT(err_, HasSubstr("job j2 is not known"));
  server_.state().job.set_state(v1::JOB_STATE_RUNNING);
  EXPECT_EQ(Tersor({"status", "j1"}), 0);
  EXPECT_THAT(out_, HasSubstr("not begun"));
  server_.state().job.mutable_progress()->set_stage("quantize:rtn");
  EXPECT_EQ(Tersor({"status", "j1"}), 0);
  EXPECT_THAT(out_, HasSubstr("[  0%] quantize:rtn"));
}

TEST_F(RemoteCommandsTest, WatchExitsAsTheJobDid) {
  EndJob(v1::JOB_STATE_SUCCEEDED, v1::VERDICT_FAIL);
  EXPECT_EQ(Tersor({"watch", "j1"}), 1);
  EXPECT_EQ(out_, "j1 succeeded\n");
  EXPECT_THAT(err_, Not(HasSubstr("succeeded")));
  EXPECT_EQ(Tersor({"watch", "j2"}), 2);
}

TEST_F(RemoteCommandsTest, LogsAreCopied) {
  v1::LogChunk chunk;
  chunk.set_attempt(1);
  chunk.set_text("first\n");
  server_.state().logs.push_back(chunk);
  chunk.set_attempt(2);
  chunk.set_text("second\n");
  server_.state().logs.push_back(chunk);
  EXPECT_EQ(Tersor({"logs", "j1"}), 0);
  EXPECT_EQ(out_, "first\nsecond\n");
  EXPECT_EQ(Tersor({"logs", "j1", "--attempt", "2"}), 0);
  EXPECT_EQ(out_, "second\n");
  server_.state().job.set_attempt(2);
  EXPECT_EQ(Tersor({"logs", "j1", "--attempt", "9"}), 2);
  EXPECT_THAT(err_, HasSubstr("job j1 has no attempt 9; it has had 2"));
}

TEST_F(RemoteCommandsTest, EachWarningIsShownOnce) {
  EndJob(v1::JOB_STATE_SUCCEEDED, v1::VERDICT_PASS);
  v1::Event event;
  event.mutable_warning()->set_code("ADVICE");
  event.mutable_warning()->set_message("too few windows");
  FakeState& fake = server_.state();
  event.set_sequence(4);
  fake.events.insert(fake.events.begin() + 1, event);
  fake.events.insert(fake.events.begin() + 1, event);
  for (size_t i = 0; i < fake.events.size(); ++i) fake.events[i].set_sequence(static_cast<int64_t>(i) + 1);
  fake.job.set_last_event_sequence(5);
  EXPECT_EQ(Tersor({"watch", "j1"}), 0);
  const size_t first = err_.find("too few windows");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(err_.find("too few windows", first + 1), std::string::npos);
}

TEST_F(RemoteCommandsTest, CancelTakesSeveral) {
  EXPECT_EQ(Tersor({"cancel", "j1"}), 0);
  EXPECT_EQ(out_, "j1 cancelled\n");
  EXPECT_EQ(Tersor({"cancel", "j9", "j1"}), 2);
  EXPECT_EQ(out_, "j1 cancelled\n");
  EXPECT_EQ(server_.state().cancels, 2);
}

TEST_F(RemoteCommandsTest, GcSaysWhatItWouldDo) {
  auto& item = *server_.state().garbage.add_items();
  item.set_kind("checkpoint");
  item.set_path("jobs/j1/checkpoint");
  item.set_bytes(1500000000);
  item.set_age_seconds(86400 * 40);
  server_.state().garbage.set_bytes(1500000000);
  EXPECT_EQ(Tersor({"gc", "--dry-run", "--max-age", "7d", "--max-bytes", "50GB"}), 0);
  EXPECT_THAT(out_, HasSubstr("jobs/j1/checkpoint"));
  EXPECT_THAT(out_, HasSubstr("would free 1.5"));
  EXPECT_EQ(server_.state().collections.at(0).max_age_seconds(), 7 * 86400);
  EXPECT_EQ(server_.state().collections.at(0).max_bytes(), 50000000000);
  EXPECT_TRUE(server_.state().collections.at(0).dry_run());
  EXPECT_EQ(Tersor({"gc", "--max-age", "old"}), 2);
  EXPECT_EQ(Tersor({"gc", "--max-age", "5"}), 2);
  EXPECT_THAT(err_, HasSubstr("--max-age 5 has no unit"));
}

TEST_F(RemoteCommandsTest, ReportHasFourForms) {
  EndJob(v1::JOB_STATE_SUCCEEDED, v1::VERDICT_FAIL);
  EXPECT_EQ(Tersor({"report", "j1"}), 0);
  EXPECT_THAT(out_, HasSubstr("A summary."));
  EXPECT_EQ(Tersor({"report", "j1", "--format", "json"}), 0);
  EXPECT_THAT(out_, HasSubstr("\"verdict\": \"FAIL\""));
  EXPECT_EQ(Tersor({"report", "j1", "--format", "html"}), 0);
  EXPECT_THAT(out_, HasSubstr("<html"));
  EXPECT_EQ(Tersor({"report", "j1", "--format", "markdown"}), 0);
  EXPECT_EQ(Tersor({"report", "j2"}), 2);
}

TEST_F(RemoteCommandsTest, DownloadFetchesAllOrOne) {
  for (const std::string name : {"tersor", "gguf:q4_0"}) {
    v1::ArtifactInfo& artifact = server_.state().artifacts.emplace_back();
    artifact.set_name(name);
    artifact.set_path(name.substr(0, 4));
    v1::ArtifactInfo::File& file = *artifact.add_files();
    file.set_path(name.substr(0, 4) + "/file");
    file.set_bytes(static_cast<int64_t>(name.size()));
    file.set_sha256(Sha256Hex(name));
    server_.state().files[file.path()] = name;
  }
  std::string into = (folder_ / "got").string();
  EXPECT_EQ(Tersor({"download", "j1", "gguf:q4_0", "--into", into}), 0);
  EXPECT_EQ(out_, into + "/gguf\n");
  EXPECT_EQ(*ReadFile(into + "/gguf/file"), "gguf:q4_0");
  EXPECT_FALSE(std::filesystem::exists(into + "/ters"));
  EXPECT_EQ(Tersor({"download", "j1", "--into", into}), 0);
  EXPECT_EQ(*ReadFile(into + "/ters/file"), "tersor");
  EXPECT_THAT(err_, HasSubstr("gguf/file (was there)"));
  EXPECT_EQ(Tersor({"download", "j1", "onnx", "--into", into}), 2);
  EXPECT_THAT(err_, HasSubstr("no artifact \"onnx\"; it has: tersor, gguf:q4_0"));
}

TEST_F(RemoteCommandsTest, ModelsAreImportedPushedAndListed) {
  EXPECT_EQ(Tersor({"models", "import", "/srv/models/m.gguf", "--name", "m"}), 0);
  EXPECT_EQ(server_.state().imports.at(0), "/srv/models/m.gguf");
  Write("config.json", "{}");
  EXPECT_EQ(Tersor({"models", "push", folder_.string() + "/"}), 0);
  EXPECT_EQ(out_, folder_.filename().string() + "\n");
  EXPECT_EQ(server_.state().blobs.at(Sha256Hex("{}")), "{}");
  EXPECT_EQ(Tersor({"models", "push", Write("notes.gguf", "words")}), 2);
  EXPECT_THAT(err_, HasSubstr("notes.gguf is no GGUF file; a model is a .gguf file or a folder with config.json"));
  EXPECT_EQ(Tersor({"models", "push", Write("weights.bin", "GGUF")}), 2);
  EXPECT_THAT(err_, HasSubstr("give it a name that ends in .gguf"));
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_EQ(Tersor({"models", "push", (folder_ / "empty").string()}), 2);
  EXPECT_THAT(err_, HasSubstr("has no config.json"));
  EXPECT_EQ(server_.state().blobs.count(Sha256Hex("words")), 0u);
  server_.state().models.emplace_back().set_name("smollm2");
  EXPECT_EQ(Tersor({"models", "list"}), 0);
  EXPECT_THAT(out_, HasSubstr("smollm2"));
}

TEST_F(RemoteCommandsTest, EstimatePrintsThePlan) {
  v1::Plan& plan = server_.state().plan;
  plan.mutable_model()->set_name("smollm2");
  v1::PlannedStage& stage = *plan.add_stages();
  stage.set_name("quantize:gptq");
  stage.set_seconds(40);
  stage.set_detail("30 blocks");
  EXPECT_EQ(Tersor({"estimate", Write("r.yaml", "model: smollm2\n")}), 0);
  EXPECT_THAT(out_, HasSubstr("quantize:gptq"));
  EXPECT_THAT(out_, HasSubstr("30 blocks"));
}

TEST_F(RemoteCommandsTest, MethodsOfAServer) {
  EXPECT_EQ(Tersor({"methods", "--server", server_.address()}), 0);
  EXPECT_THAT(out_, HasSubstr("quantize: rtn: round to nearest"));
  EXPECT_EQ(Tersor({"methods", "--server", server_.address(), "gptqq"}), 2);
  EXPECT_THAT(err_, HasSubstr("unknown method \"gptqq\"; known: rtn"));
}

TEST_F(RemoteCommandsTest, DoctorLooksForTheServer) {
  EXPECT_EQ(Tersor({"doctor"}), 0);
  EXPECT_THAT(out_, HasSubstr(server_.address() + " answers"));
  server_.Stop();
  EXPECT_EQ(Tersor({"doctor"}), 0);
  EXPECT_THAT(out_, HasSubstr("none at " + server_.address()));
}

TEST_F(RemoteCommandsTest, NobodyThereIsFour) {
  server_.Stop();
  for (std::vector<std::string> arguments : std::vector<std::vector<std::string>>{{"list"},
                                                                                  {"status", "j1"},
                                                                                  {"watch", "j1"},
                                                                                  {"logs", "j1"},
                                                                                  {"cancel", "j1"},
                                                                                  {"gc"},
                                                                                  {"report", "j1"},
                                                                                  {"download", "j1"},
                                                                                  {"models", "list"}}) {
    int code = arguments.size() == 1 ? Tersor({arguments[0]}) : Tersor({arguments[0], arguments[1]});
    EXPECT_EQ(code, 4) << arguments[0];
  }
}

}  // namespace
}  // namespace tersor::client
