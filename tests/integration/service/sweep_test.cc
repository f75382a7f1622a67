// Sweeps: many jobs of one parent, through a real tersord with workers over the fake pipeline.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "tests/integration/service/service_fixture.h"

namespace tersor::testing {
namespace {

using ::testing::HasSubstr;

class SweepServiceTest : public ServiceTest {
 protected:
  // Two points over the fake pipeline.
  v1::SubmitJobRequest SweepRequest(const std::string& script) {
    v1::SubmitJobRequest request = Request(script);
    v1::Sweep* sweep = request.mutable_recipe()->mutable_sweep();
    sweep->add_methods()->mutable_gptq();
    sweep->add_bits(3);
    sweep->add_bits(4);
    return request;
  }
  v1::Job SubmitSweep(const std::string& script) {
    v1::Job job;
    const grpc::Status status = client().Submit(SweepRequest(script), &job);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return job;
  }
  std::vector<v1::Job> Points(const std::string& sweep) {
    v1::ListJobsRequest request;
    request.set_filter(absl::StrCat("parent=", sweep));
    v1::ListJobsResponse response;
    grpc::ClientContext context;
    EXPECT_TRUE(client().jobs().ListJobs(&context, request, &response).ok());
    return {response.jobs().begin(), response.jobs().end()};
  }
};

TEST_F(SweepServiceTest, RunsItsPointsAndReportsThem) {
  StartServer();
  const v1::Job sweep = SubmitSweep("blocks=2");
  EXPECT_THAT(sweep.id(), HasSubstr("sweep-"));
  EXPECT_EQ(sweep.state(), v1::JOB_STATE_RUNNING);
  ASSERT_EQ(AwaitEnd(sweep.id()).state(), v1::JOB_STATE_SUCCEEDED);
  const std::vector<v1::Job> points = Points(sweep.id());
  ASSERT_EQ(points.size(), 2u);
  EXPECT_EQ(points[0].labels().at("sweep.bits"), "4") << "the newest comes first";
  v1::Report report;
  ASSERT_TRUE(client().Report(sweep.id(), &report).ok());
  ASSERT_EQ(report.sweep().points_size(), 2);
  EXPECT_EQ(report.sweep().points(0).name(), "method=gptq bits=3");
  EXPECT_EQ(report.sweep().points(0).job_id(), points[1].id());
  v1::CompareReportsRequest compare;
  compare.add_job_ids(sweep.id());
  v1::ReportComparison comparison;
  grpc::ClientContext context;
  ASSERT_TRUE(client().reports().CompareReports(&context, compare, &comparison).ok());
  std::vector<std::string> labels;
  for (const v1::ComparedModel& model : comparison.models()) {
    if (model.sweep() == sweep.id()) labels.push_back(model.label());
  }
  EXPECT_THAT(labels, ::testing::ElementsAre("method=gptq bits=3", "method=gptq bits=4"));
  // Without gates nothing was judged.
  EXPECT_EQ(report.verdict(), v1::VERDICT_UNSPECIFIED);
}

TEST_F(SweepServiceTest, OneFailureDoesNotStopTheRest) {
  StartServer();
  const v1::Job sweep = SubmitSweep(absl::StrCat("blocks=2 wait_at=1 gate=", gate().string()));
  v1::SubmitJobRequest bad = Request("blocks=1 fail=9");
  bad.set_parent(sweep.id());
  v1::Job added;
  ASSERT_TRUE(client().Submit(bad, &added).ok());
  EXPECT_EQ(added.parent(), sweep.id());
  OpenGate();
  const v1::Job ended = AwaitEnd(sweep.id());
  EXPECT_EQ(ended.state(), v1::JOB_STATE_SUCCEEDED);
  EXPECT_EQ(ended.status_message(), "2 of 3 points succeeded");
  v1::Report report;
  ASSERT_TRUE(client().Report(sweep.id(), &report).ok());
  EXPECT_THAT(report.sweep().points(2).error(), HasSubstr("FAILED"));
}

TEST_F(SweepServiceTest, CancelsItsPoints) {
  StartServer();
  const v1::Job sweep = SubmitSweep(absl::StrCat("blocks=3 wait_at=1 gate=", gate().string()));
  v1::Job asked;
  ASSERT_TRUE(client().Cancel(sweep.id(), &asked).ok());
  EXPECT_EQ(AwaitEnd(sweep.id()).state(), v1::JOB_STATE_CANCELLED);
  for (const v1::Job& point : Points(sweep.id())) EXPECT_EQ(point.state(), v1::JOB_STATE_CANCELLED);
  v1::SubmitJobRequest late = Request("blocks=1");
  late.set_parent(sweep.id());
  v1::Job added;
  EXPECT_EQ(client().Submit(late, &added).error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(SweepServiceTest, GoesOnAfterARestart) {
  StartServer();
  const v1::Job sweep = SubmitSweep(absl::StrCat("blocks=3 wait_at=1 gate=", gate().string()));
  server().Kill();
  RestartServer();
  OpenGate();
  EXPECT_EQ(AwaitEnd(sweep.id()).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(SweepServiceTest, IsOpenAgainWithANewPoint) {
  StartServer();
  const v1::Job sweep = SubmitSweep("blocks=2");
  ASSERT_EQ(AwaitEnd(sweep.id()).state(), v1::JOB_STATE_SUCCEEDED);
  v1::SubmitJobRequest more = Request(absl::StrCat("blocks=2 wait_at=1 gate=", gate().string()));
  more.set_parent(sweep.id());
  v1::Job added;
  ASSERT_TRUE(client().Submit(more, &added).ok());
  EXPECT_EQ(client().Get(sweep.id()).state(), v1::JOB_STATE_RUNNING);
  OpenGate();
  // From the first event on: an end that was not the last does not end the watch.
  std::vector<v1::Event> events;
  ASSERT_TRUE(client().Watch(sweep.id(), 0, ToTheEnd, &events).ok());
  ExpectGapless(events, 1);
  EXPECT_EQ(client().Get(sweep.id()).state(), v1::JOB_STATE_SUCCEEDED);
  v1::Report report;
  ASSERT_TRUE(client().Report(sweep.id(), &report).ok());
  EXPECT_EQ(report.sweep().points_size(), 3);
}

TEST_F(SweepServiceTest, IsDeletedWithItsPoints) {
  StartServer();
  const v1::Job sweep = SubmitSweep("blocks=1");
  ASSERT_EQ(AwaitEnd(sweep.id()).state(), v1::JOB_STATE_SUCCEEDED);
  v1::DeleteJobRequest request;
  request.set_id(sweep.id());
  google::protobuf::Empty nothing;
  grpc::ClientContext context;
  ASSERT_TRUE(client().jobs().DeleteJob(&context, request, &nothing).ok());
  EXPECT_TRUE(Points(sweep.id()).empty());
}

TEST_F(SweepServiceTest, FaultsNameThePoint) {
  StartServer();
  v1::Job added;
  const v1::SubmitJobRequest faulty = SweepRequest("blocks=1 faults=2");
  const grpc::Status status = client().Submit(faulty, &added);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_THAT(status.error_message(), HasSubstr("method=gptq bits=3"));
}

}  // namespace
}  // namespace tersor::testing
