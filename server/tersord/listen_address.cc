#include "server/tersord/listen_address.h"

#include <arpa/inet.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

bool IsLoopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

}  // namespace

absl::StatusOr<ListenAddress> ParseLoopbackAddress(absl::string_view flag, absl::string_view text) {
  const size_t colon = text.rfind(':');
  ListenAddress address;
  if (colon == absl::string_view::npos || !absl::SimpleAtoi(text.substr(colon + 1), &address.port) ||
      address.port < 0 || address.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, " ", text, ": expected HOST:PORT, for example 127.0.0.1:7433 (port 0 takes a free one)"));
  }
  address.host = std::string(text.substr(0, colon));
  if (!IsLoopback(address.host)) {
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " ", text,
        ": refused, only loopback (127.0.0.1, ::1, localhost) is allowed, because this version has no ",
        "TLS and no authentication: whoever reaches the port could run jobs and read models. Reach it from elsewhere ",
        "through an SSH tunnel: ssh -L 7433:127.0.0.1:", address.port == 0 ? 7433 : address.port, " HOST"));
  }
  return address;
}

}  // namespace tersor
