#include "tests/server/testing/raw_connection.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tersor::testing {

RawConnection::RawConnection() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), connected_(false) {}

RawConnection::RawConnection(const std::string& address) : RawConnection() { Connect(address); }

void RawConnection::Connect(const std::string& address) {
  int port = 0;
  if (!absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port)) return;
  sockaddr_in peer = {};
  peer.sin_family = AF_INET;
  peer.sin_port = htons(static_cast<uint16_t>(port));
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connected_ = connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof(peer)) == 0;
}

RawConnection::~RawConnection() { close(fd_); }

bool RawConnection::Send(absl::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

std::string RawConnection::ReadAll(double seconds) const {
  std::string all;
  pollfd waited = {fd_, POLLIN, 0};
  while (poll(&waited, 1, static_cast<int>(seconds * 1000)) > 0) {
    char buffer[4096];
    const ssize_t count = recv(fd_, buffer, sizeof(buffer), 0);
    if (count <= 0) break;
    all.append(buffer, static_cast<size_t>(count));
  }
  return all;
}

void RawConnection::FinishSending() const { shutdown(fd_, SHUT_WR); }

std::string HttpExchange(const std::string& address, absl::string_view request) {
  const RawConnection connection(address);
  if (!connection.connected()) return "";
  connection.Send(request);
  connection.FinishSending();
  return connection.ReadAll();
}

std::string HttpGet(const std::string& address, absl::string_view path) {
  return HttpExchange(address, absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: x\r\n\r\n"));
}

std::string HttpBody(absl::string_view answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == absl::string_view::npos ? "" : std::string(answer.substr(end + 4));
}

}  // namespace tersor::testing
