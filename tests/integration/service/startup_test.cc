// What tersord refuses to start with.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "server/store/sqlite_database.h"
#include "tests/integration/service/service_fixture.h"

namespace tersor::testing {
namespace {

using ::testing::HasSubstr;

class StartupTest : public ServiceTest {
 protected:
  ProgramResult Run(const std::vector<std::string>& flags) {
    std::vector<std::string> command = {TERSORD_FAKE};
    command.insert(command.end(), flags.begin(), flags.end());
    return RunProgram(command, folder_ / "run.log");
  }
};

TEST_F(StartupTest, SecondServerOnTheSameFolderIsRefused) {
  StartServer();
  const ProgramResult second =
      Run({"--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data", data().string()});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.output, HasSubstr(absl::StrCat("is locked by another tersord (pid ", server().pid(), ")")));
  // The refused one leaves the first one's files alone.
  EXPECT_TRUE(std::filesystem::exists(data() / "endpoint"));
  EXPECT_EQ(AwaitEnd(Submit("blocks=1").id()).state(), v1::JOB_STATE_SUCCEEDED);
}

TEST_F(StartupTest, WithoutProtectionOnlyLoopbackIsServed) {
  for (const char* address : {"0.0.0.0:0", "[::]:0", "192.168.1.4:7433", "example.org:80"}) {
    const ProgramResult result = Run({"--listen", address, "--data", data().string()});
    EXPECT_EQ(result.exit_code, 2) << address;
    EXPECT_THAT(result.output, HasSubstr("only loopback")) << address;
    EXPECT_THAT(result.output, HasSubstr("--tls-cert")) << address;
  }
  EXPECT_THAT(Run({"--metrics-listen", "0.0.0.0:0", "--data", data().string()}).output, HasSubstr("only loopback"));
  EXPECT_EQ(Run({"--listen", "nonsense", "--data", data().string()}).exit_code, 2);
}

TEST_F(StartupTest, TheOperatorMayInsist) {
  ServerCommand command = Command({"--insecure-listen"});
  command.listen = "0.0.0.0:0";
  const auto process = ServerProcess::Start(command);
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_EQ((*process)->address().rfind("0.0.0.0:", 0), 0);
  ServiceClient client((*process)->address());
  v1::Job job;
  EXPECT_TRUE(client.Submit(Request("blocks=1"), &job).ok());
  std::vector<v1::Event> events;
  EXPECT_TRUE(client.Watch(job.id(), 0, ToTheEnd, &events).ok());
  const absl::StatusOr<std::string> log = ReadFile(data().string() + ".log");
  ASSERT_TRUE(log.ok());
  EXPECT_THAT(*log, HasSubstr("whoever reaches the address may run jobs"));
}

// Before anything is opened: these end for want of a folder, and of TLS files.
TEST_F(StartupTest, WhatTheOperatorOpensIsWarnedOf) {
  const ProgramResult metrics =
      Run({"--insecure-listen", "--metrics-listen", "0.0.0.0:0", "--listen", "127.0.0.1:0", "--data", "/proc/none"});
  EXPECT_EQ(metrics.exit_code, 1) << metrics.output;
  EXPECT_THAT(metrics.output, HasSubstr("may read the metrics"));
  const ProgramResult service =
      Run({"--insecure-listen", "--listen", "0.0.0.0:0", "--tls-cert", (folder_ / "none.crt").string(), "--tls-key",
           (folder_ / "none.key").string(), "--data", data().string()});
  EXPECT_NE(service.exit_code, 0);
  EXPECT_THAT(service.output, HasSubstr("no tokens are asked for"));
}

// gRPC reads the address of the workers' socket as a URI.
TEST_F(StartupTest, AnyNameOfTheDataFolderWorks) {
  for (const char* name : {"part#1", "what?", "100%41"}) {
    ServerCommand command = Command();
    command.data = folder_ / name;
    const auto process = ServerProcess::Start(command);
    ASSERT_TRUE(process.ok()) << process.status();
    ServiceClient client((*process)->address());
    v1::Job job;
    ASSERT_TRUE(client.Submit(Request("blocks=1"), &job).ok());
    std::vector<v1::Event> events;
    EXPECT_TRUE(client.Watch(job.id(), 0, ToTheEnd, &events).ok());
    EXPECT_EQ(client.Get(job.id()).state(), v1::JOB_STATE_SUCCEEDED) << name;
  }
}

TEST_F(StartupTest, PortInUseIsAClearError) {
  StartServer();
  const std::string other = (folder_ / "other").string();
  const ProgramResult service =
      Run({"--listen", server().address(), "--metrics-listen", "127.0.0.1:0", "--data", other});
  EXPECT_EQ(service.exit_code, 1);
  EXPECT_THAT(service.output, HasSubstr("the port is in use"));
  const ProgramResult metrics =
      Run({"--listen", "127.0.0.1:0", "--metrics-listen", server().metrics_address(), "--data", other});
  EXPECT_EQ(metrics.exit_code, 1);
  EXPECT_THAT(metrics.output, HasSubstr("--metrics-listen"));
}

TEST_F(StartupTest, NewerDatabaseIsRefused) {
  StartServer();
  server().Signal(SIGTERM);
  ASSERT_EQ(server().Wait(), 0);
  {
    auto database = SqliteDatabase::Open(data() / "tersor.db");
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE((*database)->Execute("PRAGMA user_version=99").ok());
  }
  const ProgramResult result =
      Run({"--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data", data().string()});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("written by a newer Tersor"));
}

TEST_F(StartupTest, HelpAndVersion) {
  EXPECT_EQ(Run({"--help"}).exit_code, 0);
  EXPECT_THAT(Run({"--help"}).output, HasSubstr("--model-root"));
  EXPECT_THAT(Run({"--version"}).output, HasSubstr("tersord"));
  const ProgramResult unknown = Run({"--colour"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.output, HasSubstr("--help"));
}

}  // namespace
}  // namespace tersor::testing
