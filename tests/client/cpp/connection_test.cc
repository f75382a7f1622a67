#include "client/cpp/connection.h"

#include <cstdlib>

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

}  // namespace
}  // namespace tersor::client
