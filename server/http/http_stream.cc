#include "server/http/http_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/time/clock.h"

namespace tersor {
namespace {

// How often a waiting connection looks whether others wait for its thread.
constexpr absl::Duration kLookAround = absl::Milliseconds(50);

}  // namespace

HttpStream::HttpStream(int fd, const HttpLimits& limits, const HttpPressure& pressure)
    : fd_(fd), limits_(limits), pressure_(pressure), began_(absl::Now()) {}

bool HttpStream::Await(short events, absl::Time since, absl::Duration allowed) const {
  while (!pressure_.stopping()) {
    const absl::Duration limit = pressure_.crowded() ? std::min(allowed, limits_.crowded_time) : allowed;
    const absl::Duration left = since + limit - absl::Now();
    if (left <= absl::ZeroDuration()) return false;
    pollfd waited = {fd_, events, 0};
    const int ready = poll(&waited, 1, static_cast<int>(absl::ToInt64Milliseconds(std::min(left, kLookAround))) + 1);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
  return false;
}

ssize_t HttpStream::Receive(char* to, size_t size, absl::Time since, absl::Duration allowed) const {
  while (Await(POLLIN, since, allowed)) {
    const ssize_t count = recv(fd_, to, size, 0);
    if (count >= 0) return count;
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return -1;
}

ssize_t HttpStream::read(char* to, size_t size) {
  if (taken_ == buffered_) {
    const size_t room = std::min(buffer_.size(), limits_.request_bytes - received_);
    if (room == 0) return 0;
    const ssize_t count = Receive(buffer_.data(), room, began_, limits_.request_time);
    if (count <= 0) return count;
    taken_ = 0;
    buffered_ = static_cast<size_t>(count);
    received_ += buffered_;
  }
  const size_t count = std::min(size, buffered_ - taken_);
  std::memcpy(to, buffer_.data() + taken_, count);
  taken_ += count;
  return static_cast<ssize_t>(count);
}

ssize_t HttpStream::write(const char* from, size_t size) {
  answer_began_ = std::min(answer_began_, absl::Now());
  while (Await(POLLOUT, answer_began_, limits_.answer_time)) {
    const ssize_t count = send(fd_, from, size, MSG_NOSIGNAL);
    if (count >= 0) return count;
    if (errno != EAGAIN && errno != EINTR) return -1;
  }
  return -1;
}

void HttpStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

void HttpStream::get_local_ip_and_port(std::string& ip, int& port) const { get_remote_ip_and_port(ip, port); }

void HttpStream::Finish() {
  if (shutdown(fd_, SHUT_WR) != 0) return;
  const absl::Time since = absl::Now();
  for (size_t ignored = 0; ignored < limits_.ignored_bytes;) {
    const ssize_t count = Receive(buffer_.data(), buffer_.size(), since, absl::Seconds(1));
    if (count <= 0) return;
    ignored += static_cast<size_t>(count);
  }
}

}  // namespace tersor
