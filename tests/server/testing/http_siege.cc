#include "tests/server/testing/http_siege.h"

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/testing/raw_connection.h"

namespace tersor::testing {
namespace {

constexpr const char* kMethods[] = {"GET",     "HEAD", "POST", "PUT", "DELETE", "PATCH",   "OPTIONS",     "TRACE",
                                    "CONNECT", "PRI",  "get",  "FOO", "",       "GET GET", "\x16\x03\x01"};
constexpr const char* kPaths[] = {
    "/metrics",         "/livez",     "/readyz", "/",         "/favicon.ico", "/%00",       "/%",
    "/%zz%u12",         "/../../etc", "*",       "//metrics", "/metrics/",    "/m?a=b&c&=", "/metrics?x?y",
    "http://h/metrics", "#",          ""};
constexpr const char* kVersions[] = {"HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/0.9", "HTTP/9999999999.1", "", "x"};
constexpr const char* kHeaders[] = {"Host: x",
                                    "Connection: keep-alive",
                                    "Expect: 100-continue",
                                    "Content-Length: 18446744073709551615",
                                    "Content-Length: -1",
                                    "Content-Length: 12",
                                    "Transfer-Encoding: chunked",
                                    "Content-Type: multipart/form-data; boundary=x",
                                    "Content-Type: application/x-www-form-urlencoded",
                                    "Accept-Encoding: gzip, br, deflate",
                                    "Content-Encoding: br",
                                    "Range: bytes=0-",
                                    "Range: bytes=9-1,-,5-",
                                    "Authorization: Basic ////",
                                    "Upgrade: h2c",
                                    ": empty",
                                    "no colon",
                                    "\t folded",
                                    "Nul: a\0b"};

template <typename Choices>
std::string Pick(const Choices& choices, std::mt19937& random) {
  return choices[random() % std::size(choices)];
}

std::string Noise(size_t size, std::mt19937& random) {
  std::string noise(size, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  return noise;
}

std::string LongHeader(std::mt19937& random) {
  if (random() % 2 == 0) return absl::StrCat("X: ", std::string(random() % 40000, 'y'));
  std::string ranges = "Range: bytes=0-1";
  for (size_t i = random() % 4000; i > 0; --i) absl::StrAppend(&ranges, ",0-");
  return ranges;
}

std::string NearlyRequest(std::mt19937& random) {
  const std::string line_end = random() % 8 == 0 ? "\n" : "\r\n";
  std::string request =
      absl::StrCat(Pick(kMethods, random), " ", Pick(kPaths, random), " ", Pick(kVersions, random), line_end);
  for (size_t i = random() % 6; i > 0; --i) absl::StrAppend(&request, Pick(kHeaders, random), line_end);
  if (random() % 8 == 0) absl::StrAppend(&request, LongHeader(random), line_end);
  if (random() % 16 == 0) {
    for (int i = 0; i < 2000; ++i) absl::StrAppend(&request, "h", i, ": v", line_end);
  }
  absl::StrAppend(&request, line_end);
  if (random() % 2 == 0) absl::StrAppend(&request, "ffffffffffffffff\r\n", Noise(random() % 3000, random));
  return request;
}

}  // namespace

std::string HostileRequest(std::mt19937& random) {
  if (random() % 8 == 0) return Noise(random() % 5000, random);
  std::string request = NearlyRequest(random);
  if (random() % 4 == 0) request.resize(random() % (request.size() + 1));
  for (size_t i = random() % 4; i > 0 && !request.empty(); --i) {
    if (random() % 4 == 0) request[random() % request.size()] = static_cast<char>(random());
  }
  return request;
}

int SendHostileRequests(const std::string& address, int count, unsigned seed) {
  constexpr int kThreads = 8;
  std::atomic<int> answered{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(seed + static_cast<unsigned>(thread));
      for (int i = thread; i < count; i += kThreads) {
        if (HttpExchange(address, HostileRequest(random)).rfind("HTTP/1.1 ", 0) == 0) ++answered;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return answered;
}

}  // namespace tersor::testing
