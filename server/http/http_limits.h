// What strangers may cost the HTTP server.
#ifndef TERSOR_SERVER_HTTP_HTTP_LIMITS_H_
#define TERSOR_SERVER_HTTP_HTTP_LIMITS_H_

#include <cstddef>

#include "absl/time/time.h"

namespace tersor {

struct HttpLimits {
  int threads = 8;
  // Connections that were accepted and wait for a thread; more are answered 503 and closed.
  size_t waiting = 64;
  // Request line and headers together.
  size_t request_bytes = 8 << 10;
  // What is read of a body, to be thrown away: no page takes one.
  size_t ignored_bytes = 256 << 10;
  // For the whole request to come, and for the whole answer to go.
  absl::Duration request_time = absl::Seconds(5);
  absl::Duration answer_time = absl::Seconds(10);
  // The same while others wait for a thread, so that slow clients cannot keep the quick ones out.
  absl::Duration crowded_time = absl::Milliseconds(250);
};

}  // namespace tersor

#endif  // TERSOR_SERVER_HTTP_HTTP_LIMITS_H_
