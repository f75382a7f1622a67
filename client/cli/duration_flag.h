// Lengths of time and amounts of bytes as command lines spell them.
#ifndef TERSOR_CLIENT_CLI_DURATION_FLAG_H_
#define TERSOR_CLIENT_CLI_DURATION_FLAG_H_

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "core/base/status.h"

namespace tersor::client {

// "90s", "15m", "1h30m", "30d". Only 0 needs no unit. INVALID_ARGUMENT names `flag`.
absl::StatusOr<absl::Duration> ParseDuration(const std::string& text, absl::string_view flag);

// "1000000", "500MB", "2.5GB", "4GiB".
absl::StatusOr<int64_t> ParseBytes(const std::string& text, absl::string_view flag);

}  // namespace tersor::client

#endif  // TERSOR_CLIENT_CLI_DURATION_FLAG_H_
