#include "server/tersord/listen_address.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tersor {
namespace {

using ::testing::HasSubstr;

ListenAddress Parsed(const char* text) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress("--listen", text);
  EXPECT_TRUE(address.ok()) << text;
  return address.value_or(ListenAddress());
}

constexpr const char* kLoopback[] = {"127.0.0.1:7433", "127.1.2.3:0", "localhost:65535", "[::1]:80"};
constexpr const char* kReachable[] = {
    "0.0.0.0:1",           "[::]:1", "10.0.0.1:1",   "128.0.0.1:1", "127.0.0.1.example.org:1", "localhost.evil.org:1",
    "[::ffff:10.0.0.1]:1", "*:1",    "127.0.0.1 :1", "unix:/x:1"};

TEST(ListenAddressTest, LoopbackNeedsNothing) {
  for (const char* text : kLoopback) {
    EXPECT_TRUE(Parsed(text).IsLoopback()) << text;
    EXPECT_TRUE(CheckServiceAddress(Parsed(text), {}).ok()) << text;
    EXPECT_TRUE(CheckMetricsAddress(Parsed(text), {}).ok()) << text;
  }
  EXPECT_EQ(Parsed("127.0.0.1:7433").port, 7433);
}

TEST(ListenAddressTest, OthersNeedProtection) {
  for (const char* text : kReachable) {
    const absl::Status bare = CheckServiceAddress(Parsed(text), {});
    EXPECT_EQ(bare.code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(bare.message(), HasSubstr("only loopback")) << text;
    EXPECT_FALSE(CheckServiceAddress(Parsed(text), {.tls = true}).ok()) << text;
    EXPECT_FALSE(CheckServiceAddress(Parsed(text), {.tokens = true}).ok()) << text;
    EXPECT_TRUE(CheckServiceAddress(Parsed(text), {.tls = true, .tokens = true}).ok()) << text;
    EXPECT_TRUE(CheckServiceAddress(Parsed(text), {.insecure = true}).ok()) << text;
    // The port of probes and scrapes has neither.
    EXPECT_FALSE(CheckMetricsAddress(Parsed(text), {.tls = true, .tokens = true}).ok()) << text;
    EXPECT_TRUE(CheckMetricsAddress(Parsed(text), {.insecure = true}).ok()) << text;
  }
}

TEST(ListenAddressTest, TheRefusalSaysWhatIsMissing) {
  const ListenAddress address = Parsed("0.0.0.0:7433");
  EXPECT_THAT(CheckServiceAddress(address, {}).message(), HasSubstr("--tls-cert"));
  EXPECT_THAT(CheckServiceAddress(address, {.tls = true}).message(), HasSubstr("without API tokens (--tokens)"));
  EXPECT_THAT(CheckServiceAddress(address, {.tokens = true}).message(), HasSubstr("without TLS API tokens"));
  EXPECT_THAT(CheckServiceAddress(address, {}).message(), HasSubstr("--insecure-listen"));
}

TEST(ListenAddressTest, TokensWithoutTlsStayOnThisMachine) {
  for (const char* text : {"127.0.0.1:1", "localhost:1", "[::1]:1"}) {
    EXPECT_TRUE(CheckServiceAddress(Parsed(text), {.tokens = true}).ok()) << text;
  }
  // gRPC takes calls with tokens from these alone, and would be silent about the rest.
  EXPECT_FALSE(CheckServiceAddress(Parsed("127.1.2.3:1"), {.tokens = true}).ok());
  EXPECT_FALSE(CheckServiceAddress(Parsed("0.0.0.0:1"), {.tokens = true, .insecure = true}).ok());
}

TEST(ListenAddressTest, Form) {
  for (const char* bad : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", ":7433"}) {
    const absl::Status status = ParseListenAddress("--metrics-listen", bad).status();
    EXPECT_THAT(status.message(), HasSubstr("expected HOST:PORT")) << bad;
    EXPECT_THAT(status.message(), HasSubstr("--metrics-listen")) << bad;
  }
}

}  // namespace
}  // namespace tersor
