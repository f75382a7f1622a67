#include "client/cpp/connection.h"

#include <cstdlib>
#include <utility>

#include "grpcpp/create_channel.h"

namespace tersor::client {
namespace {

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

absl::StatusOr<Connection> Connection::Open(absl::string_view address, const CallTimeouts& timeouts,
                                            const ChannelSecurity& security) {
  TERSOR_ASSIGN_OR_RETURN(const ServerTarget server, ParseServerAddress(address));
  TERSOR_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ChannelCredentials> credentials,
                          MakeCredentials(server, security));
  std::shared_ptr<grpc::Channel> channel = grpc::experimental::CreateCustomChannelWithInterceptors(
      server.target, credentials, ChannelArguments(), TokenInterceptors(security));
  return Connection(std::string(address), std::move(channel), timeouts);
}

}  // namespace tersor::client
