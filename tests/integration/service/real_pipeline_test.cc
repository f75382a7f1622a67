// tersord and tersor-worker as users get them, on a tiny model.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "google/protobuf/text_format.h"
#include "tests/integration/service/service_fixture.h"
#include "tests/testing/tiny_model.h"

namespace tersor::testing {
namespace {

class RealPipelineTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    tersord_ = TERSORD;
    worker_ = TERSOR_WORKER;
    model_ = folder_ / "models" / "tiny";
    // Enough blocks and calibration for a walk that can be met in its middle.
    TinyModelOptions options;
    options.layers = 24;
    options.width = 128;
    options.inner = 256;
    ASSERT_TRUE(WriteTinyModel(model_, options).ok());
    std::filesystem::create_directories(folder_ / "text");
    std::string text;
    for (int i = 0; i < 2000; ++i) text += absl::StrCat("The quick brown fox number ", i * i, " jumps. ");
    ASSERT_TRUE(WriteFileAtomically(folder_ / "text" / "foxes.txt", text).ok());
  }
  v1::SubmitJobRequest RealRequest() const {
    v1::SubmitJobRequest request;
    EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
        R"pb(
          calibration { dataset: "foxes" samples: 8 tokens: 256 }
          stages { quantize { gptq { bits: 4 group_size: 32 } } }
          evaluate { perplexity { dataset: "foxes" window: 64 max_windows: 4 } }
          gates: "size_ratio >= 1.01"
          export: "safetensors"
        )pb",
        request.mutable_recipe()));
    request.mutable_recipe()->set_model(model_.string());
    (*request.mutable_labels())["name"] = "release";
    return request;
  }
  v1::Job SubmitReal(bool no_cache = false) {
    v1::SubmitJobRequest request = RealRequest();
    request.set_no_cache(no_cache);
    v1::Job job;
    const grpc::Status status = client().Submit(request, &job);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return job;
  }
  void AwaitBlock(const std::string& id, int block) {
    const std::filesystem::path file =
        data() / "jobs" / id / "checkpoint" / "blocks" / absl::StrFormat("block-%04d.safetensors", block);
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (!std::filesystem::exists(file) && absl::Now() < deadline) std::this_thread::yield();
    ASSERT_TRUE(std::filesystem::exists(file)) << StateChanges(id);
  }
  v1::Report ReportOf(const std::string& id) {
    v1::Report report;
    EXPECT_TRUE(client().Report(id, &report).ok()) << client().Get(id).status_message();
    return report;
  }
  std::string StateChanges(const std::string& id) {
    std::vector<v1::Event> events;
    client().Watch(id, 0, ToTheEnd, &events);
    std::string text;
    for (const v1::Event& event : events) {
      if (event.has_state_changed()) absl::StrAppend(&text, event.state_changed().ShortDebugString(), "\n");
    }
    return text;
  }
  // Files and their hashes.
  std::map<std::string, std::string> Hashes(const v1::Report& report) {
    std::map<std::string, std::string> hashes;
    for (const v1::ArtifactInfo& artifact : report.artifacts()) {
      for (const auto& file : artifact.files()) hashes[file.path()] = file.sha256();
    }
    return hashes;
  }
};

TEST_F(RealPipelineTest, CompressesEvaluatesAndServesTheFiles) {
  StartServer();
  const v1::Job job = SubmitReal();
  ASSERT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_SUCCEEDED) << client().Get(job.id()).status_message();
  const v1::Report report = ReportOf(job.id());
  EXPECT_EQ(report.verdict(), v1::VERDICT_PASS);
  EXPECT_EQ(report.labels().at("name"), "release");
  EXPECT_EQ(report.perplexity_size(), 2);
  EXPECT_GT(report.perplexity(1).standard_error(), 0);
  EXPECT_GT(report.size().ratio(), 1.01);
  ASSERT_GE(report.artifacts_size(), 2);
  for (const v1::ArtifactInfo& artifact : report.artifacts()) {
    for (const auto& file : artifact.files()) {
      std::string bytes;
      ASSERT_TRUE(client().Download(job.id(), file.path(), 0, &bytes).ok()) << file.path();
      EXPECT_EQ(Sha256Hex(bytes), file.sha256()) << file.path();
    }
  }
  const v1::Job again = SubmitReal();
  EXPECT_EQ(again.cached_from(), job.id());
  for (const v1::Job& each : {job, again}) {
    std::string text;
    ASSERT_TRUE(client().Download(each.id(), "report.json", 0, &text).ok());
    EXPECT_THAT(text, ::testing::HasSubstr(absl::StrCat("\"job_id\": \"", each.id(), "\"")));
    EXPECT_THAT(text, ::testing::HasSubstr(absl::StrCat("tersor download ", each.id(), "\"")));
  }
  grpc::ClientContext context;
  v1::ListMethodsResponse methods;
  ASSERT_TRUE(client().jobs().ListMethods(&context, v1::ListMethodsRequest(), &methods).ok());
  EXPECT_GE(methods.methods_size(), 2);
}

TEST_F(RealPipelineTest, KilledWorkerGivesTheSameFilesInItsSecondAttempt) {
  StartServer();
  const v1::Job whole = SubmitReal();
  ASSERT_EQ(AwaitEnd(whole.id()).state(), v1::JOB_STATE_SUCCEEDED) << client().Get(whole.id()).status_message();
  const v1::Job job = SubmitReal(/*no_cache=*/true);
  // Events are thinned and come late; the checkpoint's file says at once that the walk is in its middle.
  AwaitBlock(job.id(), 1);
  ASSERT_EQ(kill(WorkerPid(job.id()), SIGKILL), 0);
  const v1::Job ended = AwaitEnd(job.id());
  ASSERT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED) << ended.status_message();
  EXPECT_EQ(ended.attempt(), 2) << StateChanges(job.id());
  EXPECT_EQ(Hashes(ReportOf(job.id())), Hashes(ReportOf(whole.id())));
}

// A gate that sits on what the first windows say is undecided there.
TEST_F(RealPipelineTest, AnUndecidedGateGoesOnWithItsText) {
  StartServer();
  const v1::Job first = SubmitReal();
  ASSERT_EQ(AwaitEnd(first.id()).state(), v1::JOB_STATE_SUCCEEDED);
  v1::SubmitJobRequest request = RealRequest();
  request.mutable_recipe()->set_gates(0, absl::StrCat("kl_mean <= ", ReportOf(first.id()).divergence().kl_mean()));
  request.mutable_recipe()->mutable_gating()->set_on_inconclusive("extend");
  v1::Job job;
  ASSERT_TRUE(client().Submit(request, &job).ok());
  ASSERT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_SUCCEEDED) << client().Get(job.id()).status_message();
  const v1::Report report = ReportOf(job.id());
  ASSERT_GE(report.gates(0).looks_size(), 2);
  EXPECT_EQ(report.gates(0).looks(0).windows(), 4);
  EXPECT_EQ(report.perplexity(1).looks(), report.gates(0).looks_size());
  EXPECT_GT(report.perplexity(1).windows_size(), 4);
}

TEST_F(RealPipelineTest, FaultsComeFromTheRealPlan) {
  StartServer();
  v1::SubmitJobRequest request = RealRequest();
  request.mutable_recipe()->mutable_stages(0)->mutable_quantize()->mutable_gptq()->set_bits(9);
  request.mutable_recipe()->mutable_calibration()->set_dataset("wolves");
  v1::Job job;
  const grpc::Status status = client().Submit(request, &job);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  std::vector<std::string> fields;
  const google::rpc::BadRequest faults = BadRequestOf(status);
  for (const auto& violation : faults.field_violations()) fields.push_back(violation.field());
  EXPECT_THAT(fields, ::testing::UnorderedElementsAre("stages[0].quantize.gptq.bits", "calibration.dataset"));
}

TEST_F(RealPipelineTest, CancelIsHeardInTheMiddle) {
  StartServer();
  const v1::Job job = SubmitReal();
  std::vector<v1::Event> events;
  client().Watch(
      job.id(), 0, [](const v1::Event& event) { return event.has_progress(); }, &events);
  v1::Job answer;
  ASSERT_TRUE(client().Cancel(job.id(), &answer).ok());
  EXPECT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_CANCELLED);
}

}  // namespace
}  // namespace tersor::testing
