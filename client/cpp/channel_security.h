// What a client shows of itself and asks of its server.
#ifndef TERSOR_CLIENT_CPP_CHANNEL_SECURITY_H_
#define TERSOR_CLIENT_CPP_CHANNEL_SECURITY_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/client_interceptor.h"

namespace tersor::client {

struct ChannelSecurity {
  // PEM file of the authorities that may have signed the server's certificate; empty: the system's.
  std::string ca_file = {};
  // PEM files of the client's own certificate, for servers that ask for one; both or neither.
  std::string certificate_file = {};
  std::string key_file = {};
  // The API token; empty: none.
  std::string token = {};
};

// Of the environment: TERSOR_CA, TERSOR_CLIENT_CERT, TERSOR_CLIENT_KEY, and the token of `token_file` where that is not
// empty, else of TERSOR_TOKEN. INVALID_ARGUMENT for a token file that cannot be read or holds no token.
absl::StatusOr<ChannelSecurity> SecurityFromEnvironment(const std::string& token_file);

// A server's address as people write it.
struct ServerTarget {
  // HOST:PORT or unix:PATH.
  std::string target;
  bool tls = false;
};

// "HOST:PORT", "http://HOST[:PORT]", "https://HOST[:PORT]" (TLS) or "unix:PATH"; the port is 7433 where a URL has none.
// INVALID_ARGUMENT for anything else.
absl::StatusOr<ServerTarget> ParseServerAddress(absl::string_view address);

// INVALID_ARGUMENT where a file cannot be read, or where a token would travel to another machine in plain text.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeCredentials(const ServerTarget& server,
                                                                          const ChannelSecurity& security);

// Puts the token on every call; nothing where there is none.
std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>> TokenInterceptors(
    const ChannelSecurity& security);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CPP_CHANNEL_SECURITY_H_
