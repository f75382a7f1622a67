// Connections under TLS: who is let in, and what happens when certificates are renewed.
#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/credentials.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "tests/integration/service/service_fixture.h"
#include "tests/server/testing/test_certificates.h"

namespace tersor::testing {
namespace {

class TlsTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    Serve(authority_.Issue("server"));
    Write("ca.crt", clients_.certificate_pem());
  }

  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(folder_ / name, text).ok());
  }
  // Puts the server's certificate and key in place.
  void Serve(const CertificatePair& pair) {
    Write("server.key", pair.key_pem);
    Write("server.crt", pair.certificate_pem);
  }
  std::vector<std::string> Flags() {
    return {"--tls-cert", (folder_ / "server.crt").string(), "--tls-key", (folder_ / "server.key").string()};
  }
  std::vector<std::string> FlagsWithClientCa() {
    std::vector<std::string> flags = Flags();
    flags.insert(flags.end(), {"--client-ca", (folder_ / "ca.crt").string()});
    return flags;
  }
  // A client that trusts `authority`, on a connection of its own.
  ServiceClient Client(const TestAuthority& authority, const CertificatePair& own = {}) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    return ServiceClient(grpc::CreateCustomChannel(
        server().address(), grpc::SslCredentials({authority.certificate_pem(), own.key_pem, own.certificate_pem}),
        arguments));
  }
  static grpc::Status List(ServiceClient client) {
    v1::ListJobsResponse response;
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
    return client.jobs().ListJobs(&context, v1::ListJobsRequest(), &response);
  }

  // How often the server has said that the files are faulty.
  int Faults() const {
    const absl::StatusOr<std::string> log = ReadFile(data().string() + ".log");
    int count = 0;
    for (size_t at = 0; log.ok() && (at = log->find("TLS files are faulty", at)) != std::string::npos; ++at) ++count;
    return count;
  }

  int faults_ = 0;
  TestAuthority authority_{"servers"};
  TestAuthority clients_{"clients"};
};

TEST_F(TlsTest, OnlyTlsIsSpoken) {
  StartServer(Flags());
  EXPECT_TRUE(List(Client(authority_)).ok());
  // Who does not know the authority does not go on, plain text gets nowhere.
  EXPECT_EQ(List(Client(clients_)).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(List(ServiceClient(server().address())).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, AJobRunsUnderTls) {
  StartServer(Flags());
  ServiceClient client = Client(authority_);
  v1::Job job;
  ASSERT_TRUE(client.Submit(Request("blocks=2"), &job).ok());
  std::vector<v1::Event> events;
  EXPECT_TRUE(client.Watch(job.id(), 0, ToTheEnd, &events).ok());
  EXPECT_EQ(client.Get(job.id()).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(TlsTest, ClientsShowACertificateOfTheAuthority) {
  StartServer(FlagsWithClientCa());
  EXPECT_TRUE(List(Client(authority_, clients_.Issue("alice"))).ok());
  EXPECT_EQ(List(Client(authority_)).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(List(Client(authority_, authority_.Issue("mallory"))).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(List(Client(authority_, clients_.Issue("late", -60))).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(TlsTest, RenewedCertificatesAreServedAndNoStreamIsDropped) {
  StartServer(Flags());
  ServiceClient before = Client(authority_);
  v1::Job job;
  ASSERT_TRUE(before.Submit(Request(absl::StrCat("blocks=2 wait_at=1 gate=", gate().string())), &job).ok());
  std::vector<v1::Event> events;
  grpc::Status watched;
  std::thread watcher([&] { watched = before.Watch(job.id(), 0, ToTheEnd, &events); });
  const TestAuthority next("servers of next year");
  Serve(next.Issue("server"));
  EXPECT_TRUE(Eventually([&] { return List(Client(next)).ok(); }, 5));
  EXPECT_FALSE(List(Client(authority_)).ok());
  // The stream that was open goes on to the job's end.
  OpenGate();
  watcher.join();
  EXPECT_TRUE(watched.ok()) << watched.error_message();
  ASSERT_FALSE(events.empty());
  EXPECT_EQ(events.back().state_changed().state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(TlsTest, RenewedClientAuthoritiesCount) {
  StartServer(FlagsWithClientCa());
  const TestAuthority next("clients of next year");
  EXPECT_FALSE(List(Client(authority_, next.Issue("alice"))).ok());
  Write("ca.crt", next.certificate_pem());
  EXPECT_TRUE(Eventually([&] { return List(Client(authority_, next.Issue("alice"))).ok(); }, 5));
  EXPECT_FALSE(List(Client(authority_, clients_.Issue("alice"))).ok());
}

// gRPC itself would serve nobody meanwhile, and end the process at an empty key.
TEST_F(TlsTest, HalfRenewedFilesHarmNobody) {
  StartServer(Flags());
  const TestAuthority next("servers of next year");
  const CertificatePair pair = next.Issue("server");
  for (const std::string& half : {std::string(), pair.key_pem}) {
    Write("server.key", half);
    // The log says when the files were looked at.
    EXPECT_TRUE(Eventually([&] { return Faults() > faults_; }, 5));
    faults_ = Faults();
    EXPECT_TRUE(List(Client(authority_)).ok());
  }
  Write("server.crt", pair.certificate_pem);
  EXPECT_TRUE(Eventually([&] { return List(Client(next)).ok(); }, 5));
}

TEST_F(TlsTest, BadFilesAreSaidAtTheStart) {
  Write("server.key", authority_.Issue("other").key_pem);
  const auto process = ServerProcess::Start(Command(Flags()));
  EXPECT_THAT(process.status().message(), ::testing::HasSubstr("does not belong to the certificate"));
}

}  // namespace
}  // namespace tersor::testing
