#include "server/tersord/listen_address.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

TEST(ListenAddressTest, LoopbackOnly) {
  for (const char* good : {"127.0.0.1:7433", "127.1.2.3:0", "localhost:65535", "[::1]:80"}) {
    EXPECT_TRUE(ParseLoopbackAddress("--listen", good).ok()) << good;
  }
  EXPECT_EQ(ParseLoopbackAddress("--listen", "127.0.0.1:7433")->port, 7433);
  for (const char* bad : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "128.0.0.1:1", "127.0.0.1.example.org:1", ":7433",
                          "localhost.evil.org:1", "[::ffff:10.0.0.1]:1", "*:1", "127.0.0.1 :1", "unix:/x:1"}) {
    const absl::Status status = ParseLoopbackAddress("--listen", bad).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_THAT(status.message(), HasSubstr("only loopback")) << bad;
  }
}

TEST(ListenAddressTest, Form) {
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1"}) {
    const absl::Status status = ParseLoopbackAddress("--metrics-listen", bad).status();
    EXPECT_THAT(status.message(), HasSubstr("expected HOST:PORT")) << bad;
    EXPECT_THAT(status.message(), HasSubstr("--metrics-listen")) << bad;
  }
}

}  // namespace
}  // namespace tersor
