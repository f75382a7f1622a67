// The admin port of the real program: with the libraries of the engine linked, whose static TLS takes its share of
// every thread's stack.
#include <gmock/gmock.h>

#include "tests/integration/service/service_fixture.h"
#include "tests/server/testing/http_siege.h"
#include "tests/server/testing/raw_connection.h"

namespace tersor::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class AdminHttpTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    tersord_ = TERSORD;
    worker_ = TERSOR_WORKER;
  }
};

TEST_F(AdminHttpTest, EveryRequestIsAnswered) {
  StartServer();
  const std::string address = server().metrics_address();
  EXPECT_THAT(HttpGet(address, "/metrics"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(HttpExchange(address, "HEAD /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(HttpGet(address, "/"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(HttpGet(address, "/favicon.ico"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(HttpExchange(address, "POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
              StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(HttpExchange(address, "nonsense\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(AdminHttpTest, LivesThroughHostileRequests) {
  StartServer();
  const std::string address = server().metrics_address();
  std::vector<std::unique_ptr<RawConnection>> slow;
  for (int i = 0; i < 16; ++i) {
    slow.push_back(std::make_unique<RawConnection>(address));
    slow.back()->Send("GET /metrics HTTP/1.1\r\nX: ");
  }
  EXPECT_GT(SendHostileRequests(address, 4000, 99), 1000);
  EXPECT_THAT(HttpGet(address, "/readyz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(HttpGet(address, "/metrics"), HasSubstr("tersor_build_info"));
  server().Signal(SIGTERM);
  EXPECT_EQ(server().Wait(), 0);
}

}  // namespace
}  // namespace tersor::testing
