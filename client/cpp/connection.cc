#include "client/cpp/connection.h"

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"

namespace tersor::client {
namespace {

bool IsAddress(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) return address.size() > 5;
  size_t colon = address.rfind(':');
  int port = 0;
  return colon != absl::string_view::npos && colon > 0 && absl::SimpleAtoi(address.substr(colon + 1), &port) &&
         port > 0 && port < 65536;
}

grpc::ChannelArguments ChannelArguments() {
  constexpr int kMaxMessageBytes = 64 << 20;
  grpc::ChannelArguments arguments;
  // A report lists every layer and window.
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  // A proxy of the environment is for the web, not for a server on this machine.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // After a restart of the server a watch is back soon: gRPC's own waits would grow to two minutes.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  return arguments;
}

}  // namespace

std::string ServerAddress(absl::string_view flag) {
  if (!flag.empty()) return std::string(flag);
  const char* variable = std::getenv("TERSOR_SERVER");
  return variable != nullptr && *variable != '\0' ? variable : std::string(kDefaultServer);
}

absl::StatusOr<Connection> Connection::Open(absl::string_view address, const CallTimeouts& timeouts) {
  if (!IsAddress(address)) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", address, "\" is not a server's address; write HOST:PORT, for example ", kDefaultServer));
  }
  std::shared_ptr<grpc::Channel> channel =
      grpc::CreateCustomChannel(std::string(address), grpc::InsecureChannelCredentials(), ChannelArguments());
  return Connection(std::string(address), std::move(channel), timeouts);
}

}  // namespace tersor::client
