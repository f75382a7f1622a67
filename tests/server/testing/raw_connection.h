// A TCP connection that sends whatever a test likes.
#ifndef TERSOR_TESTS_SERVER_TESTING_RAW_CONNECTION_H_
#define TERSOR_TESTS_SERVER_TESTING_RAW_CONNECTION_H_

#include <string>

#include "absl/strings/string_view.h"

namespace tersor::testing {

// Not thread-safe. Closed when destroyed.
class RawConnection {
 public:
  // Not connected yet.
  RawConnection();
  // `address` is 127.0.0.1:PORT.
  explicit RawConnection(const std::string& address);
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  void Connect(const std::string& address);
  bool connected() const { return connected_; }
  // False when the other side has closed.
  bool Send(absl::string_view bytes) const;
  // Everything that comes until the other side closes, or nothing came for `seconds`.
  std::string ReadAll(double seconds = 20) const;
  // Says that nothing more is sent.
  void FinishSending() const;

 private:
  int fd_;
  bool connected_;
};

// Sends a request on a connection of its own and returns the whole answer.
std::string HttpExchange(const std::string& address, absl::string_view request);

// The answer to GET of a path: the whole answer, or what stands behind its headers.
std::string HttpGet(const std::string& address, absl::string_view path);
std::string HttpBody(absl::string_view answer);

}  // namespace tersor::testing

#endif  // TERSOR_TESTS_SERVER_TESTING_RAW_CONNECTION_H_
