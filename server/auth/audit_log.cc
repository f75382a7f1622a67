#include "server/auth/audit_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "server/base/log.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

std::string ToLine(const AuditEntry& entry) {
  nlohmann::ordered_json line = {{"time", absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", entry.time, absl::UTCTimeZone())}};
  const auto add = [&](const char* key, const std::string& value) {
    if (!value.empty()) line[key] = value;
  };
  add("token", entry.who.token);
  add("token_name", entry.who.token_name);
  add("certificate", entry.who.certificate);
  add("peer", entry.peer);
  add("rpc", entry.rpc);
  add("target", entry.target);
  add("code", entry.code);
  add("reason", entry.reason);
  // Names come from clients: what is no UTF-8 is replaced.
  return absl::StrCat(line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace), "\n");
}

}  // namespace

void AuditLog::Append(const AuditEntry& entry) {
  const std::string line = ToLine(entry);
  const MutexLock lock(mutex_);
  const absl::Status written = Write(line);
  if (!written.ok()) Log(LogLevel::kError, "an audit entry was not written", {{"error", written.ToString()}});
}

absl::Status AuditLog::Write(const std::string& line) {
  std::error_code error;
  const auto size = fs::file_size(path_, error);
  if (!error && static_cast<int64_t>(size + line.size()) > max_file_bytes_) Rotate();
  const int fd = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus(errno, "opening", path_);
  const ssize_t count = write(fd, line.data(), line.size());
  const int failure = count < 0 ? errno : ENOSPC;
  close(fd);
  return count == static_cast<ssize_t>(line.size()) ? absl::OkStatus() : ErrnoStatus(failure, "writing", path_);
}

void AuditLog::Rotate() {
  std::error_code error;
  const auto numbered = [&](int number) { return fs::path(absl::StrCat(path_.string(), ".", number)); };
  for (int number = kKeptFiles - 1; number > 0; --number) fs::rename(numbered(number), numbered(number + 1), error);
  fs::rename(path_, numbered(1), error);
}

}  // namespace tersor
