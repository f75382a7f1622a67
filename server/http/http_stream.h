// One client's connection as cpp-httplib sees it, with bounds that the library's own lacks: on the whole request's size
// and on the time that request and answer take together.
#ifndef TERSOR_SERVER_HTTP_HTTP_STREAM_H_
#define TERSOR_SERVER_HTTP_HTTP_STREAM_H_

#include <httplib.h>

#include <array>
#include <functional>
#include <string>

#include "server/http/http_limits.h"

namespace tersor {

// What a connection must know of the server it belongs to. Asked again and again while it waits.
struct HttpPressure {
  // The server is ending.
  std::function<bool()> stopping;
  // Others wait for a thread.
  std::function<bool()> crowded;
};

// Does not own the descriptor, which does not block. Not thread-safe. `limits` and `pressure` outlive it.
class HttpStream final : public httplib::Stream {
 public:
  HttpStream(int fd, const HttpLimits& limits, const HttpPressure& pressure);

  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  // The next bytes of the request; 0 at its end or once it is larger than a request may be, -1 when its time is over.
  ssize_t read(char* to, size_t size) override;
  // -1 when the answer's time is over or the client is gone.
  ssize_t write(const char* from, size_t size) override;
  using httplib::Stream::write;
  // Nobody asks for the addresses: they are neither logged nor shown.
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  // The library refuses descriptors that select() cannot take; nothing here selects.
  socket_t socket() const override { return INVALID_SOCKET; }

  // Says that nothing more comes and throws away what the client still sends: closing on top of unread bytes would
  // reset the connection, and the answer with it.
  void Finish();

 private:
  // Whether the descriptor was ready before `allowed` had passed since `since`.
  bool Await(short events, absl::Time since, absl::Duration allowed) const;
  // recv, after waiting for it.
  ssize_t Receive(char* to, size_t size, absl::Time since, absl::Duration allowed) const;

  const int fd_;
  const HttpLimits& limits_;
  const HttpPressure& pressure_;
  const absl::Time began_;
  absl::Time answer_began_ = absl::InfiniteFuture();
  std::array<char, 2048> buffer_;
  size_t buffered_ = 0;
  size_t taken_ = 0;
  size_t received_ = 0;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_HTTP_HTTP_STREAM_H_
