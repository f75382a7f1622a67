#include "server/tersord/listen_address.h"

#include <arpa/inet.h>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace tersor {
namespace {

std::string Text(const ListenAddress& address) { return absl::StrCat(address.host, ":", address.port); }

}  // namespace

bool ListenAddress::IsLoopback() const {
  if (host == "localhost" || host == "[::1]") return true;
  in_addr address;
  return inet_pton(AF_INET, host.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view flag, absl::string_view text) {
  const size_t colon = text.rfind(':');
  ListenAddress address;
  if (colon == absl::string_view::npos || colon == 0 || !absl::SimpleAtoi(text.substr(colon + 1), &address.port) ||
      address.port < 0 || address.port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat(flag, " ", text, ": expected HOST:PORT, for example 127.0.0.1:7433 (port 0 takes a free one)"));
  }
  address.host = std::string(text.substr(0, colon));
  return address;
}

absl::Status CheckServiceAddress(const ListenAddress& address, const ListenProtection& protection) {
  const bool is_usual = address.host == "127.0.0.1" || address.host == "[::1]" || address.host == "localhost";
  if (protection.tokens && !protection.tls && (!is_usual || protection.insecure)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--listen ", Text(address), is_usual ? " --insecure-listen" : "",
        ": refused, without TLS API tokens are taken ",
        "on 127.0.0.1, [::1] and localhost alone, as they would travel in plain text: add --tls-cert and --tls-key"));
  }
  if (address.IsLoopback() || protection.insecure || (protection.tls && protection.tokens)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--listen ", Text(address), ": refused, without ",
      protection.tls ? "API tokens (--tokens)" : "TLS (--tls-cert, --tls-key) and API tokens (--tokens)",
      " only loopback (127.0.0.1, ::1, localhost) is allowed: whoever reaches the port could run jobs and read "
      "models. ",
      "Add what is missing, reach the server through an SSH tunnel (ssh -L 7433:127.0.0.1:",
      address.port == 0 ? 7433 : address.port, " HOST), or say --insecure-listen on a network that is yours alone"));
}

absl::Status CheckMetricsAddress(const ListenAddress& address, const ListenProtection& protection) {
  if (address.IsLoopback() || protection.insecure) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "--metrics-listen ", Text(address), ": refused, only loopback (127.0.0.1, ::1, localhost) is allowed: the port ",
      "has neither TLS nor tokens. Say --insecure-listen on a network that is yours alone"));
}

}  // namespace tersor
