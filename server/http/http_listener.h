// A listening TCP socket.
#ifndef TERSOR_SERVER_HTTP_HTTP_LISTENER_H_
#define TERSOR_SERVER_HTTP_HTTP_LISTENER_H_

#include <memory>
#include <string>

#include "core/base/status.h"

namespace tersor {

// Close may be called from any thread, Accept from one.
class HttpListener {
 public:
  // `address` is HOST:PORT, an IPv6 host in brackets; port 0 takes a free one. UNAVAILABLE when it cannot be had.
  static absl::StatusOr<std::unique_ptr<HttpListener>> Open(const std::string& address);
  ~HttpListener();
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  // HOST:PORT with the port that was taken.
  const std::string& address() const { return address_; }
  // The next connection, which does not block and which programs that are started do not inherit; the caller closes it.
  // -1 when this attempt brought none (the client is gone, no descriptor is free).
  int Accept() const;
  // Ends a waiting Accept; later ones return -1 at once.
  void Close() const;

 private:
  HttpListener(int fd, std::string address) : fd_(fd), address_(std::move(address)) {}

  const int fd_;
  const std::string address_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_HTTP_HTTP_LISTENER_H_
