// What Prometheus, health probes and reflection see.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <signal.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/integration/service/service_fixture.h"
#include "tests/server/testing/raw_connection.h"

namespace tersor::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Scrape(const std::string& address) { return HttpBody(HttpGet(address, "/metrics")); }

class MetricsTest : public ServiceTest {};

TEST_F(MetricsTest, JobsWorkersAndRpcsAreCounted) {
  StartServer();
  const v1::Job good = Submit("blocks=2");
  ASSERT_EQ(AwaitEnd(good.id()).state(), v1::JOB_STATE_SUCCEEDED);
  ASSERT_EQ(AwaitEnd(Submit("blocks=2 die_at=1").id()).state(), v1::JOB_STATE_FAILED);
  v1::Job refused;
  client().Submit(Request("faults=1"), &refused);
  const auto scraped = [&](const std::string& line) {
    return Eventually([&] { return Scrape(server().metrics_address()).find(line) != std::string::npos; }, 10);
  };
  EXPECT_TRUE(scraped("tersor_jobs{method=\"gptq\",state=\"succeeded\"} 1"));
  EXPECT_TRUE(scraped("tersor_jobs{method=\"gptq\",state=\"failed\"} 1"));
  const std::string text = Scrape(server().metrics_address());
  EXPECT_THAT(text, HasSubstr("tersor_worker_restarts_total{reason=\"worker_died\"} 2"));
  // What has not happened yet is 0, not missing.
  EXPECT_THAT(text, HasSubstr("tersor_worker_restarts_total{reason=\"out_of_memory\"} 0"));
  EXPECT_THAT(text, HasSubstr("tersor_jobs{method=\"gptq\",state=\"cancelled\"} 0"));
  EXPECT_THAT(text, HasSubstr("tersor_rpc_total{code=\"INVALID_ARGUMENT\",rpc=\"JobService/SubmitJob\"} 1"));
  EXPECT_THAT(text, HasSubstr("tersor_rpc_latency_seconds_count{rpc=\"JobService/SubmitJob\"} 3"));
  EXPECT_THAT(text, HasSubstr("tersor_job_queue_wait_seconds_count{method=\"gptq\"} 2"));
  EXPECT_THAT(text, HasSubstr("tersor_attempt_run_seconds_count{method=\"gptq\",state=\"succeeded\"} 1"));
  EXPECT_THAT(text, ContainsRegex("tersor_server_resident_memory_bytes [1-9]"));
  EXPECT_THAT(text, ContainsRegex("tersor_build_info.version=.*. 1"));
  // No job ids in labels.
  EXPECT_THAT(text, Not(HasSubstr(good.id())));
}

TEST_F(MetricsTest, IdleServerHasEverySeries) {
  StartServer();
  const std::string answer = HttpGet(server().metrics_address(), "/metrics");
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("tersor_jobs{method=\"gptq\",state=\"queued\"} 0\n"));
  EXPECT_THAT(answer, HasSubstr("tersor_rpc_total{code=\"OK\",rpc=\"JobService/SubmitJob\"} 0\n"));
  EXPECT_THAT(answer, HasSubstr("tersor_job_queue_wait_seconds_count{method=\"gptq\"} 0\n"));
}

TEST_F(MetricsTest, ReadyUntilItDrains) {
  StartServer();
  const std::string address = server().metrics_address();
  EXPECT_THAT(HttpGet(address, "/livez"), HasSubstr("200 OK"));
  EXPECT_THAT(HttpGet(address, "/readyz"), HasSubstr("200 OK"));
  // An open watch keeps the server for half a second.
  const v1::Job job = Submit(absl::StrCat("blocks=2 wait_at=1 gate=", gate().string()));
  std::vector<v1::Event> events;
  std::thread watcher([&] { client().Watch(job.id(), 0, ToTheEnd, &events); });
  EXPECT_TRUE(Eventually([&] { return client().Get(job.id()).state() == v1::JOB_STATE_RUNNING; }));
  server().Signal(SIGTERM);
  EXPECT_TRUE(Eventually([&] { return HttpGet(address, "/readyz").find("draining") != std::string::npos; }, 5));
  OpenGate();
  watcher.join();
  EXPECT_EQ(server().Wait(), 0);
  RestartServer();
  EXPECT_EQ(AwaitEnd(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
}

// grpc.health.v1.Health/Check by its wire form: field 1 of the request is the service, of the answer the state.
TEST_F(MetricsTest, HealthAndReflectionAnswer) {
  StartServer();
  for (const std::string service :
       {"", "tersor.v1.JobService", "tersor.v1.ModelService", "tersor.v1.ArtifactService", "tersor.v1.ReportService"}) {
    grpc::ClientContext context;
    const grpc::internal::RpcMethod check("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC);
    google::protobuf::Empty request;
    ASSERT_TRUE(request.ParseFromString(absl::StrCat("\x0a", std::string(1, service.size()), service)));
    google::protobuf::Empty response;
    const grpc::Status status = grpc::internal::BlockingUnaryCallImpl<google::protobuf::Empty, google::protobuf::Empty>(
                                    client().channel().get(), check, &context, request, &response)
                                    .status();
    ASSERT_TRUE(status.ok()) << service << ": " << status.error_message();
    // SERVING is 1.
    EXPECT_EQ(response.SerializeAsString(), std::string("\x08\x01")) << service;
  }
  // ServerReflectionRequest.list_services (field 7) = "".
  grpc::ClientContext stream_context;
  const grpc::internal::RpcMethod info("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                                       grpc::internal::RpcMethod::BIDI_STREAMING);
  google::protobuf::Empty list;
  ASSERT_TRUE(list.ParseFromString(std::string("\x3a\x00", 2)));
  std::unique_ptr<grpc::ClientReaderWriter<google::protobuf::Empty, google::protobuf::Empty>> stream(
      grpc::internal::ClientReaderWriterFactory<google::protobuf::Empty, google::protobuf::Empty>::Create(
          client().channel().get(), info, &stream_context));
  ASSERT_TRUE(stream->Write(list));
  google::protobuf::Empty answer;
  ASSERT_TRUE(stream->Read(&answer));
  const std::string services = answer.SerializeAsString();
  for (const char* name : {"JobService", "ModelService", "ArtifactService", "ReportService"}) {
    EXPECT_THAT(services, HasSubstr(absl::StrCat("tersor.v1.", name)));
  }
  EXPECT_THAT(services, Not(HasSubstr("WorkerService"))) << "workers have a socket of their own";
  // file_containing_symbol (field 4): clients that know no .proto file ask it of every service they call.
  for (const std::string symbol : {"tersor.v1.JobService", "grpc.health.v1.Health"}) {
    google::protobuf::Empty question;
    ASSERT_TRUE(question.ParseFromString(absl::StrCat("\x22", std::string(1, symbol.size()), symbol)));
    ASSERT_TRUE(stream->Write(question));
    ASSERT_TRUE(stream->Read(&answer));
    EXPECT_THAT(answer.SerializeAsString(), HasSubstr("Request")) << symbol;
  }
  stream->WritesDone();
  EXPECT_TRUE(stream->Finish().ok());
}

}  // namespace
}  // namespace tersor::testing
