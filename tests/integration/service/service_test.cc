// A job's way through the real tersord and tersor-worker, with nothing going wrong.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "tests/integration/service/service_fixture.h"

namespace tersor::testing {
namespace {

using ::testing::HasSubstr;

TEST_F(ServiceTest, SubmitWatchReportDownload) {
  StartServer();
  const v1::Job job = Submit("blocks=5");
  // The scheduler may have started it before the answer was read: the first event tells that it was queued.
  EXPECT_FALSE(job.plan().fingerprint().empty());
  std::vector<v1::Event> events;
  ASSERT_TRUE(client().Watch(job.id(), 0, ToTheEnd, &events).ok());
  ExpectGapless(events, 1);
  EXPECT_EQ(events.front().state_changed().state(), v1::JOB_STATE_QUEUED);
  EXPECT_EQ(events.back().state_changed().state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(std::count_if(events.begin(), events.end(), [](const v1::Event& event) { return event.has_layer(); }), 5);

  const v1::Job ended = client().Get(job.id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ended.verdict(), v1::VERDICT_PASS);
  EXPECT_EQ(ended.attempt(), 1);
  EXPECT_EQ(ended.progress().done(), 5);
  EXPECT_EQ(ended.last_event_sequence(), events.back().sequence());
  v1::Report report;
  ASSERT_TRUE(client().Report(job.id(), &report).ok());
  EXPECT_EQ(report.job_id(), job.id());
  ASSERT_EQ(report.artifacts_size(), 1);

  const v1::ArtifactInfo::File& file = report.artifacts(0).files(0);
  std::string bytes;
  int64_t total = 0;
  ASSERT_TRUE(client().Download(job.id(), file.path(), 0, &bytes, &total).ok());
  EXPECT_EQ(Sha256Hex(bytes), file.sha256());
  EXPECT_EQ(total, file.bytes());
  std::string rest;
  ASSERT_TRUE(client().Download(job.id(), file.path(), 10, &rest).ok());
  EXPECT_EQ(rest, bytes.substr(10));
  EXPECT_EQ(client().Download(job.id(), file.path(), total + 1, &rest).error_code(), grpc::OUT_OF_RANGE);
}

TEST_F(ServiceTest, DownloadRefusesPathsThatLeaveTheFolder) {
  StartServer();
  const v1::Job job = Submit("blocks=1");
  ASSERT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
  std::error_code error;
  std::filesystem::create_symlink("/etc/passwd", data() / "jobs" / job.id() / "artifacts" / "link", error);
  ASSERT_FALSE(error);
  for (const char* path : {"../token", "/etc/passwd", "tersor/../../token", "", "link", "."}) {
    std::string bytes;
    const grpc::Status status = client().Download(job.id(), path, 0, &bytes);
    EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT) << path;
    EXPECT_EQ(bytes, "");
  }
  std::string bytes;
  EXPECT_EQ(client().Download(job.id(), "tersor/none", 0, &bytes).error_code(), grpc::NOT_FOUND);
}

TEST_F(ServiceTest, SameRequestIdGivesTheSameJob) {
  StartServer();
  v1::SubmitJobRequest request = Request("blocks=1");
  request.set_request_id("build-17");
  v1::Job first;
  v1::Job second;
  ASSERT_TRUE(client().Submit(request, &first).ok());
  ASSERT_TRUE(client().Submit(request, &second).ok());
  EXPECT_EQ(first.id(), second.id());
  request.mutable_recipe()->set_description("blocks=2");
  const grpc::Status other = client().Submit(request, &second);
  EXPECT_EQ(other.error_code(), grpc::ALREADY_EXISTS);
  EXPECT_EQ(ErrorInfoOf(other).reason(), "REQUEST_ID_REUSED");
  EXPECT_EQ(ErrorInfoOf(other).metadata().at("job"), first.id());
}

TEST_F(ServiceTest, EveryFaultOfARecipeIsADetail) {
  StartServer();
  v1::Job job;
  const grpc::Status status = client().Submit(Request("faults=3"), &job);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(ErrorInfoOf(status).reason(), "INVALID_RECIPE");
  EXPECT_EQ(ErrorInfoOf(status).domain(), "tersor.v1");
  const google::rpc::BadRequest request = BadRequestOf(status);
  ASSERT_EQ(request.field_violations_size(), 3);
  EXPECT_EQ(request.field_violations(2).field(), "stages[2].quantize.gptq.bits");
  // So many that they do not fit the trailers: the first ones and how many more there are.
  const grpc::Status many = client().Submit(Request("faults=500"), &job);
  EXPECT_EQ(many.error_code(), grpc::INVALID_ARGUMENT);
  const google::rpc::BadRequest cut = BadRequestOf(many);
  ASSERT_GT(cut.field_violations_size(), 20);
  EXPECT_THAT(cut.field_violations(cut.field_violations_size() - 1).description(), HasSubstr("more"));
}

TEST_F(ServiceTest, WhatMayNotBeReadHidesNoOtherFault) {
  StartServer();
  v1::SubmitJobRequest request = Request("faults=2");
  request.mutable_recipe()->set_model("unknown");
  request.mutable_recipe()->mutable_calibration()->set_dataset("/etc/passwd");
  request.mutable_resources()->set_threads(1 << 20);
  request.set_parent("job-nowhere");
  (*request.mutable_labels())["no spaces"] = "x";
  v1::Job job;
  std::vector<std::string> fields;
  const google::rpc::BadRequest answer = BadRequestOf(client().Submit(request, &job));
  for (const auto& violation : answer.field_violations()) fields.push_back(violation.field());
  EXPECT_THAT(fields,
              ::testing::UnorderedElementsAre("labels[no spaces]", "parent", "resources.threads", "calibration.dataset",
                                              "model", "stages[0].quantize.gptq.bits", "stages[1].quantize.gptq.bits"));
}

TEST_F(ServiceTest, ModelsAndDataSetsOutsideTheRootsAreRefused) {
  StartServer();
  v1::SubmitJobRequest request = Request("");
  request.mutable_recipe()->set_model("/etc/passwd");
  v1::Job job;
  grpc::Status status = client().Submit(request, &job);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(BadRequestOf(status).field_violations(0).field(), "model");
  EXPECT_THAT(status.error_message(), HasSubstr("outside the folders"));
  request.mutable_recipe()->set_model((folder_ / "models" / "missing.gguf").string());
  EXPECT_THAT(client().Submit(request, &job).error_message(), HasSubstr("does not exist"));
  request.mutable_recipe()->set_model("unknown");
  EXPECT_THAT(client().Submit(request, &job).error_message(), HasSubstr("none is registered"));
  request = Request("");
  request.mutable_recipe()->mutable_calibration()->set_dataset("/etc/passwd");
  status = client().Submit(request, &job);
  EXPECT_EQ(BadRequestOf(status).field_violations(0).field(), "calibration.dataset");
}

TEST_F(ServiceTest, EqualJobIsAnsweredAtOnce) {
  StartServer();
  const v1::Job first = Submit("blocks=3");
  ASSERT_EQ(AwaitEnd(first.id()).state(), v1::JOB_STATE_SUCCEEDED);
  v1::SubmitJobRequest labelled = Request("blocks=3");
  (*labelled.mutable_labels())["name"] = "release";
  v1::Job second;
  ASSERT_TRUE(client().Submit(labelled, &second).ok());
  EXPECT_EQ(second.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(second.cached_from(), first.id());
  EXPECT_EQ(second.attempt(), 0);
  v1::Report report;
  ASSERT_TRUE(client().Report(second.id(), &report).ok());
  EXPECT_EQ(report.cached_from(), first.id());
  EXPECT_EQ(report.labels().at("name"), "release");
  EXPECT_EQ(report.load_commands(0).command(), absl::StrCat("tersor download ", second.id()));
  std::string text;
  ASSERT_TRUE(client().Download(second.id(), "report.json", 0, &text).ok());
  EXPECT_THAT(text, HasSubstr(absl::StrCat("\"job_id\": \"", second.id(), "\"")));
  // The answer outlives the job it came from.
  grpc::ClientContext context;
  v1::DeleteJobRequest remove;
  remove.set_id(first.id());
  google::protobuf::Empty nothing;
  ASSERT_TRUE(client().jobs().DeleteJob(&context, remove, &nothing).ok());
  EXPECT_FALSE(std::filesystem::exists(data() / "jobs" / first.id()));
  std::string bytes;
  ASSERT_TRUE(client().Download(second.id(), "tersor/model.bin", 0, &bytes).ok());
  EXPECT_EQ(Sha256Hex(bytes), report.artifacts(0).files(0).sha256());

  v1::SubmitJobRequest anew = Request("blocks=3");
  anew.set_no_cache(true);
  v1::Job third;
  ASSERT_TRUE(client().Submit(anew, &third).ok());
  EXPECT_EQ(AwaitEnd(third.id()).attempt(), 1);
}

TEST_F(ServiceTest, EqualJobThatWaitsTakesTheAnswerOfTheOneThatRuns) {
  StartServer({"--threads", "4"});
  const std::string script = absl::StrCat("blocks=3 wait_at=1 gate=", gate().string());
  v1::SubmitJobRequest request = Request(script);
  request.mutable_resources()->set_threads(1);
  v1::Job first;
  v1::Job second;
  ASSERT_TRUE(client().Submit(request, &first).ok());
  WatchUntilBlock(first.id(), 0);
  ASSERT_TRUE(client().Submit(request, &second).ok());
  EXPECT_EQ(second.state(), v1::JOB_STATE_QUEUED);
  OpenGate();
  const v1::Job ended = AwaitEnd(second.id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ended.cached_from(), first.id());
}

TEST_F(ServiceTest, ListPagesAndFilters) {
  StartServer();
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    v1::SubmitJobRequest request = Request(absl::StrCat("blocks=", i + 1));
    (*request.mutable_labels())["team"] = i % 2 == 0 ? "even" : "odd";
    v1::Job job;
    ASSERT_TRUE(client().Submit(request, &job).ok());
    ids.push_back(job.id());
  }
  std::vector<std::string> listed;
  v1::ListJobsRequest request;
  request.set_page_size(2);
  do {
    grpc::ClientContext context;
    v1::ListJobsResponse response;
    ASSERT_TRUE(client().jobs().ListJobs(&context, request, &response).ok());
    EXPECT_LE(response.jobs_size(), 2);
    for (const v1::Job& job : response.jobs()) listed.push_back(job.id());
    request.set_page_token(response.next_page_token());
  } while (!request.page_token().empty());
  EXPECT_EQ(listed, std::vector<std::string>(ids.rbegin(), ids.rend()));

  request.set_filter("label.team=odd AND method=gptq");
  grpc::ClientContext context;
  v1::ListJobsResponse response;
  ASSERT_TRUE(client().jobs().ListJobs(&context, request, &response).ok());
  EXPECT_EQ(response.jobs_size(), 2);
  request.set_filter("colour=blue");
  grpc::ClientContext refused;
  const grpc::Status status = client().jobs().ListJobs(&refused, request, &response);
  EXPECT_EQ(status.error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(BadRequestOf(status).field_violations(0).field(), "filter");
}

TEST_F(ServiceTest, EstimateStoresNothing) {
  StartServer();
  grpc::ClientContext context;
  v1::EstimateJobRequest request;
  *request.mutable_recipe() = Request("").recipe();
  request.mutable_resources()->set_threads(1);
  v1::Plan plan;
  ASSERT_TRUE(client().jobs().EstimateJob(&context, request, &plan).ok());
  EXPECT_EQ(plan.seconds(), 1) << "planned for the threads that were asked for";
  grpc::ClientContext list;
  v1::ListJobsResponse jobs;
  ASSERT_TRUE(client().jobs().ListJobs(&list, v1::ListJobsRequest(), &jobs).ok());
  EXPECT_EQ(jobs.jobs_size(), 0);
}

TEST_F(ServiceTest, LogsKeepWhatWorkersWrote) {
  StartServer();
  const v1::Job job = Submit("blocks=1");
  ASSERT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
  grpc::ClientContext context;
  v1::GetJobLogsRequest request;
  request.set_id(job.id());
  const auto reader = client().jobs().GetJobLogs(&context, request);
  std::string text;
  v1::LogChunk chunk;
  while (reader->Read(&chunk)) {
    EXPECT_EQ(chunk.attempt(), 1);
    text += chunk.text();
  }
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_THAT(text, HasSubstr("\"message\":\"attempt attached\""));
  EXPECT_THAT(text, HasSubstr("\"stage\":\"quantize:fake\""));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("\"error\"")));
  EXPECT_THAT(text, HasSubstr(job.id()));
}

TEST_F(ServiceTest, TokenFileIsSecretAndWrongTokensAreRefused) {
  StartServer();
  const v1::Job job = Submit(absl::StrCat("blocks=2 wait_at=1 gate=", gate().string()));
  WatchUntilBlock(job.id(), 0);
  const auto permissions = std::filesystem::status(data() / "jobs" / job.id() / "token").permissions();
  EXPECT_EQ(permissions, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(std::filesystem::status(data()).permissions(), std::filesystem::perms::owner_all);
}

TEST_F(ServiceTest, AFullQueueTakesNoMoreJobs) {
  StartServer({"--max-queued", "2"});
  const v1::Job running = Submit(absl::StrCat("blocks=2 wait_at=1 gate=", gate().string()));
  WatchUntilBlock(running.id(), 0);
  v1::SubmitJobRequest request = Request("blocks=1");
  v1::Job first, second, third;
  request.set_request_id("first");
  ASSERT_TRUE(client().Submit(request, &first).ok());
  v1::SubmitJobRequest other = Request("blocks=2");
  ASSERT_TRUE(client().Submit(other, &second).ok());
  other = Request("blocks=3");
  const grpc::Status full = client().Submit(other, &third);
  EXPECT_EQ(full.error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(ErrorInfoOf(full).reason(), "QUEUE_FULL");
  EXPECT_EQ(ErrorInfoOf(full).metadata().at("queued"), "2");
  ASSERT_TRUE(client().Submit(request, &third).ok()) << "it is there already";
  EXPECT_EQ(third.id(), first.id());
  v1::SubmitJobRequest sweep = Request("blocks=1");
  sweep.mutable_recipe()->mutable_sweep()->add_bits(3);
  EXPECT_EQ(ErrorInfoOf(client().Submit(sweep, &third)).reason(), "QUEUE_FULL");
  ASSERT_TRUE(client().Cancel(second.id(), &second).ok());
  EXPECT_TRUE(client().Submit(other, &third).ok());
  OpenGate();
}

}  // namespace
}  // namespace tersor::testing
