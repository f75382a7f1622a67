// Structured logs: one JSON object a line on standard error.
#ifndef TERSOR_SERVER_BASE_LOG_H_
#define TERSOR_SERVER_BASE_LOG_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// One key of a log line. Keys in use: job, attempt, rpc, reason, error, seconds, bytes, pid, address.
struct LogField {
  absl::string_view key;
  std::variant<int64_t, double, std::string> value;
};

// "debug", "info", "warning" or "error". Lines below the level are dropped. Call before threads start.
absl::Status SetLogLevel(absl::string_view level);

// Thread-safe. The line carries time, level, message and the fields.
void Log(LogLevel level, absl::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace tersor

#endif  // TERSOR_SERVER_BASE_LOG_H_
