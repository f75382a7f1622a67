// What happens when workers, servers and clients die, hang or misbehave.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <chrono>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "tests/integration/service/service_fixture.h"

namespace tersor::testing {
namespace {

using ::testing::HasSubstr;

class FaultsTest : public ServiceTest {
 protected:
  std::string GateAt(int block, int blocks) const {
    return absl::StrCat("blocks=", blocks, " wait_at=", block, " gate=", gate().string());
  }
  std::string ArtifactHash(const std::string& id) {
    v1::Report report;
    EXPECT_TRUE(client().Report(id, &report).ok());
    return report.artifacts_size() == 0 ? "" : report.artifacts(0).sha256();
  }
};

TEST_F(FaultsTest, KilledWorkerResumesInASecondAttemptWithTheSameArtifact) {
  StartServer();
  const v1::Job whole = Submit("blocks=6");
  ASSERT_EQ(AwaitEnd(whole.id()).state(), v1::JOB_STATE_SUCCEEDED);
  const v1::Job job = Submit(GateAt(3, 6));
  WatchUntilBlock(job.id(), 2);
  ASSERT_GT(WorkerPid(job.id()), 0);
  ASSERT_EQ(kill(WorkerPid(job.id()), SIGKILL), 0);
  OpenGate();
  std::vector<v1::Event> events;
  ASSERT_TRUE(client().Watch(job.id(), 0, ToTheEnd, &events).ok());
  ExpectGapless(events, 1);
  const v1::Job ended = client().Get(job.id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ended.attempt(), 2);
  EXPECT_EQ(ArtifactHash(job.id()), ArtifactHash(whole.id()));
  int resumed = 0;
  int queued_again = 0;
  for (const v1::Event& event : events) {
    resumed += event.has_message() ? 1 : 0;
    queued_again += event.state_changed().state() == v1::JOB_STATE_QUEUED && event.state_changed().attempt() == 1;
    if (event.state_changed().attempt() == 1 && event.state_changed().state() == v1::JOB_STATE_QUEUED) {
      EXPECT_THAT(event.state_changed().reason(), HasSubstr("signal 9"));
    }
  }
  EXPECT_EQ(resumed, 3) << "blocks 0 to 2 come from the checkpoint";
  EXPECT_EQ(queued_again, 1);
}

TEST_F(FaultsTest, StreamsThatSayNothingKeepNeitherWorkersNorCallersOut) {
  StartServer({"--heartbeat-timeout", "2"});
  const v1::Job job = Submit(GateAt(2, 4));
  WatchUntilBlock(job.id(), 1);
  const auto stub = v1::ModelService::NewStub(client().channel());
  struct Stream {
    grpc::ClientContext context;
    v1::UploadFileResponse response;
    std::unique_ptr<grpc::ClientWriter<v1::UploadFileRequest>> writer;
  };
  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < 300; ++i) {
    auto stream = std::make_unique<Stream>();
    stream->writer = stub->UploadFile(&stream->context, &stream->response);
    streams.push_back(std::move(stream));
  }
  // The last ones are refused; whoever is served holds a thread.
  const grpc::Status refused = streams.back()->writer->Finish();
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << refused.error_message();
  // Two timeouts later the worker has been heard all the time.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(4);
  EXPECT_TRUE(Eventually([&] { return std::chrono::steady_clock::now() > until; }));
  EXPECT_EQ(client().Get(job.id()).state(), v1::JOB_STATE_RUNNING);
  OpenGate();
  EXPECT_TRUE(Eventually([&] { return IsEnded(client().Get(job.id()).state()); }));
  EXPECT_EQ(client().Get(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(client().Get(job.id()).attempt(), 1);
  for (const auto& stream : streams) stream->context.TryCancel();
}

TEST_F(FaultsTest, JobFailsAfterItsTries) {
  StartServer({"--max-attempts", "2"});
  const v1::Job ended = AwaitEnd(Submit("blocks=3 die_at=1").id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(ended.status_reason(), "WORKER_DIED");
  EXPECT_EQ(ended.attempt(), 2);
  EXPECT_THAT(ended.status_message(), HasSubstr("gave up after 2 attempts"));
  v1::Report report;
  EXPECT_EQ(client().Report(ended.id(), &report).error_code(), grpc::FAILED_PRECONDITION);
}

TEST_F(FaultsTest, FaultsOfTheInputAreNotTriedAgain) {
  StartServer();
  const v1::Job ended = AwaitEnd(Submit(absl::StrCat("blocks=2 fail=", int{grpc::INVALID_ARGUMENT})).id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(ended.status_reason(), "INVALID_INPUT");
  EXPECT_EQ(ended.attempt(), 1);
}

TEST_F(FaultsTest, AReportThatIsTooLargeFailsTheJobAtOnce) {
  StartServer();
  const v1::Job job = AwaitEnd(Submit("blocks=1 report=huge").id());
  EXPECT_EQ(job.state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(job.status_reason(), "REPORT_TOO_LARGE");
  EXPECT_EQ(job.attempt(), 1);
}

TEST_F(FaultsTest, MemoryLimitEndsTheWorkerAndTheJobGoesOn) {
  StartServer();
  v1::SubmitJobRequest request = Request("blocks=3 grow_at=1");
  request.mutable_resources()->set_memory_bytes(int64_t{200} << 20);
  v1::Job job;
  ASSERT_TRUE(client().Submit(request, &job).ok());
  std::vector<v1::Event> events;
  ASSERT_TRUE(client().Watch(job.id(), 0, ToTheEnd, &events).ok());
  EXPECT_EQ(client().Get(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(client().Get(job.id()).attempt(), 2);
  const bool told = std::any_of(events.begin(), events.end(), [](const v1::Event& event) {
    return event.state_changed().reason().find("limit of 200 MiB") != std::string::npos;
  });
  EXPECT_TRUE(told);
}

TEST_F(FaultsTest, HungWorkerIsKilledAndTheJobGoesOn) {
  StartServer({"--heartbeat-timeout", "2"});
  const v1::Job ended = AwaitEnd(Submit("blocks=3 freeze_at=1").id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ended.attempt(), 2);
}

TEST_F(FaultsTest, CancelTakesEffectWithinTwoSeconds) {
  StartServer();
  // One worker that listens and one that is deaf and must be killed.
  for (const std::string& script : {GateAt(1, 2), std::string("blocks=2 deaf_at=1")}) {
    const v1::Job job = Submit(script);
    WatchUntilBlock(job.id(), 0);
    const auto start = std::chrono::steady_clock::now();
    v1::Job answer;
    ASSERT_TRUE(client().Cancel(job.id(), &answer).ok());
    const v1::Job ended = AwaitEnd(job.id());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(ended.state(), v1::JOB_STATE_CANCELLED);
    EXPECT_EQ(ended.status_reason(), "CANCELLED");
    EXPECT_LT(took.count(), 2.0) << script;
    EXPECT_TRUE(Eventually([&] { return WorkerPid(job.id()) == 0; }));
    // Again: changes nothing.
    ASSERT_TRUE(client().Cancel(job.id(), &answer).ok());
    EXPECT_EQ(answer.last_event_sequence(), ended.last_event_sequence());
  }
}

TEST_F(FaultsTest, QueuedJobIsCancelledAtOnce) {
  StartServer();
  const v1::Job running = Submit(GateAt(0, 1));
  const v1::Job queued = Submit("blocks=9");
  v1::Job answer;
  ASSERT_TRUE(client().Cancel(queued.id(), &answer).ok());
  EXPECT_EQ(answer.state(), v1::JOB_STATE_CANCELLED);
}

TEST_F(FaultsTest, KilledServerGoesOnWithEveryJobAndWatchersMissNothing) {
  StartServer();
  const v1::Job job = Submit(GateAt(3, 6));
  const v1::Job waiting = Submit("blocks=2");
  std::vector<v1::Event> events = WatchUntilBlock(job.id(), 2);
  const pid_t worker = WorkerPid(job.id());
  server().Kill();
  RestartServer();
  OpenGate();
  std::vector<v1::Event> rest;
  ASSERT_TRUE(client().Watch(job.id(), events.back().sequence(), ToTheEnd, &rest).ok());
  events.insert(events.end(), rest.begin(), rest.end());
  ExpectGapless(events, 1);
  std::vector<std::string> layers;
  for (const v1::Event& event : events) {
    if (event.has_layer()) layers.push_back(event.layer().name());
  }
  EXPECT_EQ(layers.size(), 6) << "each block once";
  const v1::Job ended = client().Get(job.id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ended.attempt(), 1) << "the same worker " << worker << " went on";
  EXPECT_EQ(AwaitEnd(waiting.id()).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(FaultsTest, WorkerThatDiedWhileNoServerRanIsReplaced) {
  StartServer();
  const v1::Job job = Submit(GateAt(2, 4));
  WatchUntilBlock(job.id(), 1);
  const pid_t worker = WorkerPid(job.id());
  server().Kill();
  ASSERT_EQ(kill(worker, SIGKILL), 0);
  OpenGate();
  RestartServer();
  const v1::Job ended = AwaitEnd(job.id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ended.attempt(), 2);
}

TEST_F(FaultsTest, TermDrainsAndLeavesWorkersToTheNextServer) {
  StartServer();
  const v1::Job job = Submit(GateAt(1, 3));
  WatchUntilBlock(job.id(), 0);
  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(), 0);
  EXPECT_FALSE(std::filesystem::exists(data() / "endpoint"));
  EXPECT_GT(WorkerPid(job.id()), 0);
  OpenGate();
  RestartServer();
  const v1::Job ended = AwaitEnd(job.id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ended.attempt(), 1);
}

TEST_F(FaultsTest, TermStopsWorkersAtTheirCheckpointWhereAsked) {
  StartServer({"--stop-workers-on-exit", "--max-attempts", "1"});
  const v1::Job job = Submit(GateAt(1, 3));
  WatchUntilBlock(job.id(), 0);
  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(), 0);
  EXPECT_TRUE(Eventually([&] { return WorkerPid(job.id()) == 0; }));
  OpenGate();
  RestartServer();
  const v1::Job ended = AwaitEnd(job.id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED) << "stopping was no failed try: " << ended.status_message();
  EXPECT_EQ(ended.attempt(), 2);
}

TEST_F(FaultsTest, ClientGoneInMidStreamIsNoticed) {
  StartServer();
  const v1::Job job = Submit(GateAt(1, 2));
  // More watches than there are places, each given up at once. All places may be taken for the moment until the server
  // notices, never for good.
  for (int i = 0; i < 150; ++i) {
    std::vector<v1::Event> events;
    EXPECT_TRUE(Eventually([&] {
      client().Watch(
          job.id(), 0, [](const v1::Event&) { return true; }, &events);
      return events.size() == 1;
    })) << i;
  }
  OpenGate();
  EXPECT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(FaultsTest, MissingWorkerProgramFailsTheJob) {
  ServerCommand command = Command({"--max-attempts", "1"});
  command.worker = folder_ / "link";
  std::filesystem::create_symlink(worker_, command.worker);
  auto process = ServerProcess::Start(command);
  ASSERT_TRUE(process.ok()) << process.status();
  ServiceClient other((*process)->address());
  // A plan that no process can be started for is no fault of the recipe; one that was started before still serves.
  v1::Job job;
  std::filesystem::rename(command.worker, folder_ / "elsewhere");
  EXPECT_EQ(other.Submit(Request("blocks=1"), &job).error_code(), grpc::INTERNAL);
  std::filesystem::rename(folder_ / "elsewhere", command.worker);
  v1::EstimateJobRequest estimate;
  *estimate.mutable_recipe() = Request("blocks=1").recipe();
  grpc::ClientContext context;
  v1::Plan plan;
  ASSERT_TRUE(other.jobs().EstimateJob(&context, estimate, &plan).ok());
  std::filesystem::remove(command.worker);
  const grpc::Status submitted = other.Submit(Request("blocks=1"), &job);
  ASSERT_TRUE(submitted.ok()) << submitted.error_message();
  std::vector<v1::Event> events;
  ASSERT_TRUE(other.Watch(job.id(), 0, ToTheEnd, &events).ok());
  EXPECT_EQ(other.Get(job.id()).state(), v1::JOB_STATE_FAILED);
  EXPECT_EQ(other.Get(job.id()).status_reason(), "WORKER_START_FAILED");
}

}  // namespace
}  // namespace tersor::testing
