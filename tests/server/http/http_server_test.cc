#include "server/http/http_server.h"

#include <pthread.h>
#include <sys/resource.h>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/testing/http_siege.h"
#include "tests/server/testing/raw_connection.h"

namespace tersor {
namespace {

using ::tersor::testing::HttpBody;
using ::tersor::testing::HttpExchange;
using ::tersor::testing::HttpGet;
using ::tersor::testing::RawConnection;
using ::testing::ContainsRegex;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kBody[] = "0123456789";

std::unique_ptr<HttpServer> Serve(const HttpLimits& limits = {}) {
  HttpPages pages;
  pages["/page"] = [] { return HttpAnswer{.content_type = "text/plain; version=7", .body = kBody}; };
  pages["/busy"] = [] { return HttpAnswer{.status = 503, .body = "not now\n"}; };
  pages["/large"] = [] { return HttpAnswer{.body = std::string(8 << 20, 'x')}; };
  auto server = HttpServer::Start("127.0.0.1:0", std::move(pages), limits);
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

bool Lives(const HttpServer& server) { return HttpBody(HttpGet(server.address(), "/page")) == kBody; }

TEST(HttpServerTest, GetAndHead) {
  const auto server = Serve();
  const std::string get = HttpGet(server->address(), "/page?of=course");
  EXPECT_THAT(get, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get, HasSubstr("Content-Type: text/plain; version=7\r\n"));
  EXPECT_THAT(get, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_EQ(HttpBody(get), kBody);
  const std::string head = HttpExchange(server->address(), "HEAD /page HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(head, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(head, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(head, EndsWith("\r\n\r\n"));
  EXPECT_THAT(HttpGet(server->address(), "/busy"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(HttpExchange(server->address(), "GET /page HTTP/1.0\r\n\r\n"), EndsWith(kBody));
}

TEST(HttpServerTest, OtherPathsAndMethods) {
  const auto server = Serve();
  for (const char* path : {"/", "/favicon.ico", "/healthz", "/page/", "//page", "/%2e%2e/page", "/pag%00e"}) {
    EXPECT_THAT(HttpGet(server->address(), path), StartsWith("HTTP/1.1 404 ")) << path;
  }
  EXPECT_THAT(HttpBody(HttpGet(server->address(), "/")), HasSubstr("/busy, /large, /page"));
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"}) {
    const std::string answer =
        HttpExchange(server->address(), absl::StrCat(method, " /page HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n")) << method;
  }
  EXPECT_THAT(HttpExchange(server->address(), "FETCH /page HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(HttpExchange(server->address(), "GET /page HTTP/3\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST(HttpServerTest, RequestsAreBounded) {
  const auto server = Serve();
  const std::string start = "GET /page HTTP/1.1\r\n";
  EXPECT_THAT(HttpExchange(server->address(), absl::StrCat(start, "X: ", std::string(7000, 'x'), "\r\n\r\n")),
              EndsWith(kBody));
  EXPECT_THAT(HttpExchange(server->address(), absl::StrCat(start, "X: ", std::string(9000, 'x'), "\r\n\r\n")),
              StartsWith("HTTP/1.1 400 "));
  std::string many = start;
  for (int i = 0; i < 3000; ++i) absl::StrAppend(&many, "h", i, ": v\r\n");
  EXPECT_THAT(HttpExchange(server->address(), many + "\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(HttpGet(server->address(), "/" + std::string(100000, 'p')), StartsWith("HTTP/1.1 400 "));
  // A body that is announced without an end is not waited for.
  const RawConnection endless(server->address());
  endless.Send("POST /page HTTP/1.1\r\nContent-Length: 18446744073709551615\r\n\r\n");
  endless.Send(std::string(64 << 10, 'b'));
  EXPECT_THAT(endless.ReadAll(), StartsWith("HTTP/1.1 405 "));
  EXPECT_TRUE(Lives(*server));
}

TEST(HttpServerTest, RangesDoNotMultiplyTheAnswer) {
  const auto server = Serve();
  std::string request = "GET /page HTTP/1.1\r\nRange: bytes=0-";
  while (request.size() < 8000) request += ",0-";
  const std::string answer = HttpExchange(server->address(), request + "\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(HttpBody(answer), kBody);
}

TEST(HttpServerTest, StacksAreLargeWhateverTheDefaultIs) {
  pthread_attr_t before;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  pthread_attr_t small = before;
  ASSERT_EQ(pthread_attr_setstacksize(&small, 128 << 10), 0);
  ASSERT_EQ(pthread_setattr_default_np(&small), 0);
  const auto server = Serve();
  pthread_setattr_default_np(&before);
  std::string request = "GET /page HTTP/1.1\r\nRange: bytes=0-";
  while (request.size() < 8100) request += ",0-";
  EXPECT_EQ(HttpBody(HttpExchange(server->address(), request + "\r\n\r\n")), kBody);
  EXPECT_TRUE(Lives(*server));
}

TEST(HttpServerTest, SlowRequestsEnd) {
  const auto server = Serve({.request_time = absl::Milliseconds(300)});
  const RawConnection silent(server->address());
  EXPECT_EQ(silent.ReadAll(), "");
  const RawConnection trickle(server->address());
  const absl::Time start = absl::Now();
  trickle.Send("GET /page HTTP/1.1\r\n");
  // A byte now and then does not buy time.
  while (trickle.ReadAll(0.02).empty() && trickle.Send("x")) {
    ASSERT_LT(absl::Now() - start, absl::Seconds(20));
  }
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(250));
  EXPECT_TRUE(Lives(*server));
}

TEST(HttpServerTest, SlowReadersEnd) {
  const auto server = Serve({.threads = 1, .answer_time = absl::Milliseconds(300)});
  const RawConnection reader(server->address());
  reader.Send("GET /large HTTP/1.1\r\n\r\n");
  // The only thread is free again though the answer was never read.
  EXPECT_TRUE(Lives(*server));
  EXPECT_LT(reader.ReadAll().size(), size_t{8 << 20});
}

TEST(HttpServerTest, SlowClientsDoNotKeepOthersOut) {
  // Requests may take a minute, and yet a probe gets through.
  const auto server = Serve({.threads = 2, .request_time = absl::Seconds(60), .crowded_time = absl::Milliseconds(50)});
  std::vector<std::unique_ptr<RawConnection>> slow;
  for (int i = 0; i < 24; ++i) {
    slow.push_back(std::make_unique<RawConnection>(server->address()));
    ASSERT_TRUE(slow.back()->connected());
    slow.back()->Send(i % 2 == 0 ? "" : "GET /page HT");
  }
  const absl::Time start = absl::Now();
  EXPECT_TRUE(Lives(*server));
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
}

TEST(HttpServerTest, MoreThanCanWaitAreTurnedAway) {
  const auto server = Serve({.threads = 1, .waiting = 2, .crowded_time = absl::Seconds(5)});
  std::vector<std::unique_ptr<RawConnection>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<RawConnection>(server->address()));
  int turned_away = 0;
  for (const auto& client : clients) turned_away += client->ReadAll(1).rfind("HTTP/1.1 503 ", 0) == 0;
  // One is with the thread (or on its way there), two wait.
  EXPECT_GE(turned_away, 4);
  EXPECT_LE(turned_away, 6);
}

TEST(HttpServerTest, EndsWhileClientsAreOpen) {
  auto server = Serve();
  const RawConnection silent(server->address());
  const RawConnection half(server->address());
  half.Send("GET /page HTTP/1.1\r\nX: ");
  const absl::Time start = absl::Now();
  server.reset();
  EXPECT_LT(absl::Now() - start, absl::Seconds(3));
}

TEST(HttpServerTest, DescriptorsAbove1024Work) {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < 3000) GTEST_SKIP() << "the limit of open files is " << limit.rlim_max;
  const rlimit raised = {limit.rlim_max, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &raised);
  const auto server = Serve();
  std::vector<int> taken;
  while (taken.empty() || taken.back() < 1100) taken.push_back(dup(0));
  EXPECT_TRUE(Lives(*server));
  for (const int fd : taken) close(fd);
  setrlimit(RLIMIT_NOFILE, &limit);
}

TEST(HttpServerTest, OutOfDescriptorsIsSurvived) {
  const auto server = Serve();
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  RawConnection first;
  RawConnection second;
  const rlimit none = {0, limit.rlim_max};
  setrlimit(RLIMIT_NOFILE, &none);
  // The call of accept that waits already has a descriptor for the first one; for the second there is none.
  first.Connect(server->address());
  second.Connect(server->address());
  EXPECT_TRUE(second.Send("GET /page HTTP/1.1\r\n\r\n"));
  EXPECT_EQ(second.ReadAll(0.1), "");
  setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_THAT(second.ReadAll(), EndsWith(kBody));
}

TEST(HttpServerTest, HostileRequestsAreSurvived) {
  const auto server = Serve({.request_time = absl::Milliseconds(500)});
  const int answered = testing::SendHostileRequests(server->address(), 3000, 7);
  // Noise is closed without a word, nearly everything else is answered.
  EXPECT_GT(answered, 1500);
  EXPECT_TRUE(Lives(*server));
}

TEST(HttpServerTest, AddressInUseAndBadAddress) {
  const auto server = Serve();
  const absl::Status taken = HttpServer::Start(server->address(), {}).status();
  EXPECT_EQ(taken.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(taken.message(), HasSubstr("in use"));
  EXPECT_FALSE(HttpServer::Start("127.0.0.1", {}).ok());
  EXPECT_FALSE(HttpServer::Start("no.such.host.invalid:0", {}).ok());
  const auto six = HttpServer::Start("[::1]:0", {});
  if (!six.ok()) GTEST_SKIP() << "no IPv6 here: " << six.status();
  EXPECT_THAT((*six)->address(), ContainsRegex("^\\[::1\\]:[1-9]"));
}

}  // namespace
}  // namespace tersor
