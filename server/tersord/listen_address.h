// Where the server may listen.
#ifndef TERSOR_SERVER_TERSORD_LISTEN_ADDRESS_H_
#define TERSOR_SERVER_TERSORD_LISTEN_ADDRESS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

struct ListenAddress {
  // "127.0.0.1", "localhost", "[::1]", "0.0.0.0", ...
  std::string host;
  int port = 0;

  // Whether only programs on this machine reach it.
  bool IsLoopback() const;
};

// HOST:PORT; `flag` is named in the error.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view flag, absl::string_view text);

// What stands between strangers and the server.
struct ListenProtection {
  bool tls = false;
  bool tokens = false;
  // --insecure-listen: the operator says that nobody else reaches the network.
  bool insecure = false;
};

// Whether --listen may take this address: loopback always, another one with TLS and tokens, or where the operator
// insists. INVALID_ARGUMENT says what is missing and what to do.
absl::Status CheckServiceAddress(const ListenAddress& address, const ListenProtection& protection);

// Whether --metrics-listen may: it has neither TLS nor tokens, and tells everything about jobs but their names.
absl::Status CheckMetricsAddress(const ListenAddress& address, const ListenProtection& protection);

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_LISTEN_ADDRESS_H_
