#include "client/cpp/connection.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor::client {
namespace {

TEST(ServerAddress, FlagThenEnvironmentThenDefault) {
  setenv("TERSOR_SERVER", "10.0.0.1:1", 1);
  EXPECT_EQ(ServerAddress("host:2"), "host:2");
  EXPECT_EQ(ServerAddress(""), "10.0.0.1:1");
  setenv("TERSOR_SERVER", "", 1);
  EXPECT_EQ(ServerAddress(""), "127.0.0.1:7433");
  unsetenv("TERSOR_SERVER");
  EXPECT_EQ(ServerAddress(""), "127.0.0.1:7433");
}

TEST(Connection, RefusesWhatIsNoAddress) {
  for (absl::string_view bad : {"", "host", "host:", ":1", "host:0", "host:65536", "host:x", "unix:"}) {
    absl::StatusOr<Connection> connection = Connection::Open(bad);
    EXPECT_EQ(connection.status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(std::string(connection.status().message()), testing::HasSubstr("HOST:PORT"));
  }
  EXPECT_TRUE(Connection::Open("localhost:7433").ok());
  EXPECT_TRUE(Connection::Open("[::1]:7433").ok());
  EXPECT_TRUE(Connection::Open("unix:/run/tersor.sock").ok());
}

TEST(ServerAddress, AllItsForms) {
  const auto target = [](absl::string_view address) {
    const absl::StatusOr<ServerTarget> server = ParseServerAddress(address);
    return server.ok() ? absl::StrCat(server->tls ? "tls " : "", server->target) : "none";
  };
  EXPECT_EQ(target("host:1"), "host:1");
  EXPECT_EQ(target("http://host:1"), "host:1");
  EXPECT_EQ(target("https://host:1/"), "tls host:1");
  EXPECT_EQ(target("https://host"), "tls host:7433");
  EXPECT_EQ(target("https://[::1]"), "tls [::1]:7433");
  EXPECT_EQ(target("https://[::1]:9"), "tls [::1]:9");
  EXPECT_EQ(target("unix:/run/t.sock"), "unix:/run/t.sock");
  for (const char* bad : {"https://", "https:///", "https://host/path", "https://host:x", "https://unix:/x",
                          "ftp://h:1", "https://host:0", "http://https://host:1"}) {
    EXPECT_EQ(target(bad), "none") << bad;
  }
}

TEST(ChannelSecurity, ComesFromTheEnvironmentOrAFile) {
  const std::string file = testing::TempDir() + "/token";
  ASSERT_TRUE(WriteFileAtomically(file, "tsr_file\n").ok());
  setenv("TERSOR_TOKEN", "tsr_variable", 1);
  setenv("TERSOR_CA", "/ca.pem", 1);
  EXPECT_EQ(SecurityFromEnvironment("")->token, "tsr_variable");
  EXPECT_EQ(SecurityFromEnvironment("")->ca_file, "/ca.pem");
  EXPECT_EQ(SecurityFromEnvironment(file)->token, "tsr_file");
  setenv("TERSOR_TOKEN", "two words", 1);
  const absl::Status two = SecurityFromEnvironment("").status();
  EXPECT_EQ(two.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(two.message().find("two words"), absl::string_view::npos) << "secrets are not shown";
  unsetenv("TERSOR_TOKEN");
  unsetenv("TERSOR_CA");
  EXPECT_EQ(SecurityFromEnvironment("")->token, "");
  ASSERT_TRUE(WriteFileAtomically(file, "\n").ok());
  EXPECT_FALSE(SecurityFromEnvironment(file).ok());
  EXPECT_FALSE(SecurityFromEnvironment(file + ".none").ok());
}

TEST(ChannelSecurity, TokensDoNotTravelInPlainText) {
  const ChannelSecurity security = {.token = "tsr_x"};
  for (const char* local : {"127.0.0.1:1", "localhost:1", "[::1]:1", "unix:/x", "https://example.org:1"}) {
    EXPECT_TRUE(Connection::Open(local, {}, security).ok()) << local;
  }
  for (const char* plain :
       {"example.org:1", "10.0.0.1:1", "http://example.org:1", "localhost.example.org:1", "127.example.org:1"}) {
    const absl::Status status = Connection::Open(plain, {}, security).status();
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr("https://")) << plain;
  }
}

TEST(ChannelSecurity, FilesThatAreMissingAreNamed) {
  const absl::Status status = Connection::Open("https://h:1", {}, {.ca_file = "/none.pem"}).status();
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("TERSOR_CA"));
  EXPECT_THAT(std::string(status.message()), testing::HasSubstr("/none.pem"));
  EXPECT_FALSE(Connection::Open("https://h:1", {}, {.certificate_file = "/dev/null"}).ok());
}

}  // namespace
}  // namespace tersor::client
