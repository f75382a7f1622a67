// API tokens on a real server: who may do what.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "client/cpp/connection.h"
#include "client/cpp/token_client.h"
#include "core/base/atomic_file.h"
#include "tests/integration/service/service_fixture.h"
#include "tests/server/testing/test_certificates.h"

namespace tersor::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TokensTest : public ServiceTest {
 protected:
  std::string AdminToken() const {
    const absl::StatusOr<std::string> text = ReadFile(data() / "admin-token");
    EXPECT_TRUE(text.ok()) << text.status();
    return text.value_or("");
  }
  client::Connection Connect(const std::string& token) {
    return *client::Connection::Open(server().address(), {}, {.token = token});
  }
  std::string NewToken(v1::TokenScope scope, int64_t seconds = 0) {
    v1::CreateTokenRequest request;
    request.set_name("test");
    request.set_scope(scope);
    request.set_lifetime_seconds(seconds);
    const auto response = client::CreateToken(Connect(AdminToken()), request);
    EXPECT_TRUE(response.ok()) << response.status();
    return response.ok() ? response->secret() : "";
  }
  // Whatever the token allows, by stubs of the client library's channel.
  ServiceClient With(const std::string& token) { return ServiceClient(Connect(token).channel()); }
  static grpc::Status List(ServiceClient client) {
    v1::ListJobsResponse response;
    grpc::ClientContext context;
    return client.jobs().ListJobs(&context, v1::ListJobsRequest(), &response);
  }
};

TEST_F(TokensTest, NothingPassesWithoutOne) {
  StartServer({"--tokens"});
  const grpc::Status bare = List(ServiceClient(server().address()));
  EXPECT_EQ(bare.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(bare.error_message(), StartsWith("TOKEN_MISSING"));
  v1::Job job;
  EXPECT_EQ(ServiceClient(server().address()).Submit(Request("blocks=1"), &job).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(List(With(AdminToken())).ok());
}

TEST_F(TokensTest, ScopesHold) {
  StartServer({"--tokens"});
  ServiceClient reader = With(NewToken(v1::TOKEN_SCOPE_READ));
  ServiceClient submitter = With(NewToken(v1::TOKEN_SCOPE_SUBMIT));
  v1::Job job;
  EXPECT_EQ(reader.Submit(Request("blocks=1"), &job).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  ASSERT_TRUE(submitter.Submit(Request("blocks=1"), &job).ok());
  std::vector<v1::Event> events;
  EXPECT_TRUE(reader.Watch(job.id(), 0, ToTheEnd, &events).ok());
  EXPECT_EQ(reader.Get(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
  v1::DeleteJobRequest request;
  request.set_id(job.id());
  google::protobuf::Empty empty;
  grpc::ClientContext refused;
  EXPECT_EQ(submitter.jobs().DeleteJob(&refused, request, &empty).error_code(), grpc::StatusCode::PERMISSION_DENIED);
  grpc::ClientContext allowed;
  EXPECT_TRUE(With(AdminToken()).jobs().DeleteJob(&allowed, request, &empty).ok());
}

TEST_F(TokensTest, RevokedAtOnceAndForGood) {
  StartServer({"--tokens"});
  const std::string token = NewToken(v1::TOKEN_SCOPE_READ);
  EXPECT_TRUE(List(With(token)).ok());
  const auto tokens = client::ListTokens(Connect(AdminToken()));
  ASSERT_TRUE(tokens.ok());
  ASSERT_EQ(tokens->tokens_size(), 2);
  EXPECT_TRUE(tokens->tokens(1).has_last_use_time());
  ASSERT_TRUE(client::RevokeToken(Connect(AdminToken()), tokens->tokens(1).id()).ok());
  EXPECT_THAT(List(With(token)).error_message(), StartsWith("TOKEN_UNKNOWN"));
  server().Signal(SIGTERM);
  ASSERT_EQ(server().Wait(), 0);
  RestartServer();
  EXPECT_THAT(List(With(token)).error_message(), StartsWith("TOKEN_UNKNOWN"));
  EXPECT_TRUE(List(With(AdminToken())).ok()) << "the others are known to the next server";
}

TEST_F(TokensTest, SecretsAreNowhere) {
  StartServer({"--tokens", "--log-level", "debug"});
  const std::string token = NewToken(v1::TOKEN_SCOPE_SUBMIT);
  v1::Job job;
  ASSERT_TRUE(With(token).Submit(Request("blocks=1"), &job).ok());
  std::vector<v1::Event> events;
  With(token).Watch(job.id(), 0, ToTheEnd, &events);
  struct stat status = {};
  ASSERT_EQ(stat((data() / "admin-token").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::string admin = AdminToken();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    if (!entry.is_regular_file() || entry.path().filename() == "admin-token") continue;
    const absl::StatusOr<std::string> text = ReadFile(entry.path());
    if (!text.ok()) continue;
    for (const std::string& secret : {token, admin}) {
      EXPECT_EQ(text->find(secret.substr(4, 20)), std::string::npos) << entry.path();
    }
  }
}

TEST_F(TokensTest, ChangesAreAudited) {
  StartServer({"--tokens"});
  const std::string token = NewToken(v1::TOKEN_SCOPE_SUBMIT);
  ServiceClient submitter = With(token);
  v1::Job job;
  ASSERT_TRUE(submitter.Submit(Request("blocks=1"), &job).ok());
  std::vector<v1::Event> events;
  EXPECT_TRUE(submitter.Watch(job.id(), 0, ToTheEnd, &events).ok());
  EXPECT_FALSE(submitter.Submit(Request("faults=1"), &job).ok());
  v1::DeleteJobRequest request;
  request.set_id(job.id());
  google::protobuf::Empty empty;
  grpc::ClientContext context;
  EXPECT_FALSE(submitter.jobs().DeleteJob(&context, request, &empty).ok());
  EXPECT_FALSE(List(ServiceClient(server().address())).ok());
  const absl::StatusOr<std::string> log = ReadFile(data() / "audit.log");
  ASSERT_TRUE(log.ok()) << log.status();
  const std::vector<std::string> lines = absl::StrSplit(*log, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 4) << *log;
  EXPECT_THAT(lines[0], AllOf(HasSubstr("\"rpc\":\"TokenService/CreateToken\""), HasSubstr("first administrator"),
                              HasSubstr("\"target\":\"test\"")));
  EXPECT_THAT(lines[1], AllOf(HasSubstr("\"token_name\":\"test\""), HasSubstr("\"rpc\":\"JobService/SubmitJob\""),
                              HasSubstr(absl::StrCat("\"target\":\"", job.id())), HasSubstr("\"code\":\"OK\""),
                              HasSubstr("\"peer\":\"ipv4:127.0.0.1:")));
  EXPECT_THAT(lines[2], HasSubstr("\"code\":\"INVALID_ARGUMENT\""));
  EXPECT_THAT(lines[3], AllOf(HasSubstr("\"rpc\":\"JobService/DeleteJob\""), HasSubstr("PERMISSION_DENIED"),
                              HasSubstr("\"reason\":\"SCOPE_TOO_SMALL\"")));
}

// Their calls share the connection, and what gRPC keeps of it.
TEST_F(TokensTest, TokensOnOneChannelAreToldApart) {
  StartServer({"--tokens"});
  ServiceClient shared = With("");
  const auto collect = [&](const std::string& token) {
    v1::CollectGarbageRequest request;
    request.set_dry_run(true);
    v1::CollectGarbageResponse response;
    grpc::ClientContext context;
    context.AddMetadata("authorization", absl::StrCat("Bearer ", token));
    return shared.jobs().CollectGarbage(&context, request, &response);
  };
  const std::string other = NewToken(v1::TOKEN_SCOPE_ADMIN);
  for (const std::string& token : {AdminToken(), other, AdminToken()}) ASSERT_TRUE(collect(token).ok());
  const absl::StatusOr<std::string> log = ReadFile(data() / "audit.log");
  ASSERT_TRUE(log.ok()) << log.status();
  const std::vector<std::string> lines = absl::StrSplit(*log, '\n', absl::SkipEmpty());
  ASSERT_EQ(lines.size(), 4) << *log;
  EXPECT_THAT(lines[1], HasSubstr("\"token_name\":\"first administrator\""));
  EXPECT_THAT(lines[2], HasSubstr("\"token_name\":\"test\""));
  EXPECT_THAT(lines[3], HasSubstr("\"token_name\":\"first administrator\""));
}

TEST_F(TokensTest, RefusalsDoNotFillTheAuditLog) {
  StartServer({"--tokens"});
  ServiceClient reader = With(NewToken(v1::TOKEN_SCOPE_READ));
  const absl::Time begin = absl::Now();
  for (int i = 0; i < 60; ++i) {
    v1::Job job;
    EXPECT_FALSE(reader.Submit(Request("blocks=1"), &job).ok());
  }
  const absl::StatusOr<std::string> log = ReadFile(data() / "audit.log");
  ASSERT_TRUE(log.ok()) << log.status();
  const auto refusals = std::count(log->begin(), log->end(), '\n') - 1;
  EXPECT_GE(refusals, 1);
  EXPECT_LE(refusals, 3 + absl::ToInt64Seconds(absl::Now() - begin)) << *log;
}

TEST_F(TokensTest, CallsAreLimited) {
  StartServer({"--tokens", "--calls-per-second", "2"});
  grpc::Status last;
  int passed = 0;
  while (passed < 100 && (last = List(With(AdminToken()))).ok()) ++passed;
  EXPECT_GE(passed, 4);
  EXPECT_LT(passed, 100);
  EXPECT_EQ(last.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(last.error_message(), StartsWith("RATE_LIMITED"));
  EXPECT_TRUE(Eventually([&] { return List(With(AdminToken())).ok(); }, 10));
}

TEST_F(TokensTest, HealthIsOpenToProbes) {
  StartServer({"--tokens"});
  grpc::ClientContext context;
  const grpc::internal::RpcMethod check("/grpc.health.v1.Health/Check", grpc::internal::RpcMethod::NORMAL_RPC);
  google::protobuf::Empty request;
  google::protobuf::Empty response;
  const grpc::Status status = grpc::internal::BlockingUnaryCallImpl<google::protobuf::Empty, google::protobuf::Empty>(
                                  client().channel().get(), check, &context, request, &response)
                                  .status();
  EXPECT_TRUE(status.ok()) << status.error_message();
}

TEST_F(TokensTest, WithoutTokensTheServiceIsNotThere) {
  StartServer();
  EXPECT_EQ(client::ListTokens(Connect("")).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_FALSE(std::filesystem::exists(data() / "admin-token"));
  EXPECT_TRUE(List(With("tsr_any")).ok()) << "a token is no reason to refuse";
}

TEST_F(TokensTest, ReachableAddressWithTlsAndTokens) {
  const TestAuthority authority("servers");
  const CertificatePair pair = authority.Issue("server");
  ASSERT_TRUE(WriteFileAtomically(folder_ / "server.key", pair.key_pem).ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ / "server.crt", pair.certificate_pem).ok());
  ASSERT_TRUE(WriteFileAtomically(folder_ / "ca.crt", authority.certificate_pem()).ok());
  ServerCommand command = Command(
      {"--tokens", "--tls-cert", (folder_ / "server.crt").string(), "--tls-key", (folder_ / "server.key").string()});
  command.listen = "0.0.0.0:0";
  const auto process = ServerProcess::Start(command);
  ASSERT_TRUE(process.ok()) << process.status();
  const std::string port = (*process)->address().substr((*process)->address().rfind(':'));
  const auto open = [&](const std::string& token) {
    return ServiceClient(client::Connection::Open(absl::StrCat("https://localhost", port), {},
                                                  {.ca_file = (folder_ / "ca.crt").string(), .token = token})
                             ->channel());
  };
  EXPECT_EQ(List(open("")).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_TRUE(List(open(AdminToken())).ok());
}

}  // namespace
}  // namespace tersor::testing
