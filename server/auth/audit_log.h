// Who did what, and how it ended.
#ifndef TERSOR_SERVER_AUTH_AUDIT_LOG_H_
#define TERSOR_SERVER_AUTH_AUDIT_LOG_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "core/base/status.h"
#include "server/auth/call_identity.h"
#include "server/base/mutex.h"

namespace tersor {

struct AuditEntry {
  absl::Time time;
  CallIdentity who;
  // As gRPC names it: "ipv4:127.0.0.1:5000".
  std::string peer;
  // "JobService/SubmitJob".
  std::string rpc;
  // The job, model, upload or token that it was about; empty where the call did not get so far.
  std::string target;
  // "OK" or the status code's name.
  std::string code;
  // Why the call was refused before a handler saw it; else empty.
  std::string reason;
};

// A file of JSON lines that its owner alone may read. Thread-safe.
class AuditLog {
 public:
  static constexpr int64_t kMaxFileBytes = 16 << 20;
  static constexpr int kKeptFiles = 8;

  // Earlier files are PATH.1 (the youngest) to PATH.N.
  explicit AuditLog(std::filesystem::path path, int64_t max_file_bytes = kMaxFileBytes)
      : path_(std::move(path)), max_file_bytes_(max_file_bytes) {}

  // Written before the call is answered. What cannot be written is an error in the server's log, no reason to refuse.
  void Append(const AuditEntry& entry);

 private:
  absl::Status Write(const std::string& line) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Rotate() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::filesystem::path path_;
  const int64_t max_file_bytes_;
  Mutex mutex_;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_AUTH_AUDIT_LOG_H_
