// Where the server may listen.
#ifndef TERSOR_SERVER_TERSORD_LISTEN_ADDRESS_H_
#define TERSOR_SERVER_TERSORD_LISTEN_ADDRESS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

struct ListenAddress {
  // "127.0.0.1", "localhost" or "[::1]".
  std::string host;
  int port = 0;
};

// HOST:PORT. INVALID_ARGUMENT for anything but a loopback host: there is no TLS and no authentication yet, so whoever
// reaches the port may run jobs and read models.
absl::StatusOr<ListenAddress> ParseLoopbackAddress(absl::string_view flag, absl::string_view text);

}  // namespace tersor

#endif  // TERSOR_SERVER_TERSORD_LISTEN_ADDRESS_H_
