// Starts the workers of attempts and looks after their processes.
#ifndef TERSOR_SERVER_EXECUTOR_EXECUTOR_H_
#define TERSOR_SERVER_EXECUTOR_EXECUTOR_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// All that a worker is given; nothing is inherited, so that one on another machine is the same thing.
struct LaunchSpec {
  std::string job_id;
  int attempt = 0;
  // Holds the server's address; read again when the server cannot be reached, as it may have restarted elsewhere.
  std::filesystem::path endpoint_file;
  std::filesystem::path token_file;
  // Receives what the worker writes to standard error.
  std::filesystem::path log_file;
  // Resident memory that the worker may use, mapped files not counted; 0 is no limit.
  int64_t memory_bytes = 0;
};

struct WorkerStatus {
  bool running = false;
  // Resident memory without mapped files, while it runs.
  int64_t rss_bytes = 0;
  // The limit of memory ended it.
  bool out_of_memory = false;
  // How it ended in words, where known: "exit code 3", "killed by signal 9".
  std::string ending = "";
};

enum class StopMode {
  // Asks the worker to stop at its next check point of cancellation (SIGTERM).
  kAsk,
  // Ends it and its children at once (SIGKILL).
  kKill,
};

// Thread-safe. A handle is text that means the same worker after a restart of the server.
class Executor {
 public:
  virtual ~Executor() = default;
  // Starts a worker that outlives this process.
  virtual absl::StatusOr<std::string> Start(const LaunchSpec& spec) = 0;
  // A handle that is unknown or malformed reads as not running.
  virtual WorkerStatus Poll(absl::string_view handle) = 0;
  // No effect on a worker that has ended.
  virtual void Stop(absl::string_view handle, StopMode mode) = 0;
  // Takes a worker over that an earlier server started, with its limit of memory. NOT_FOUND when it has ended.
  virtual absl::Status Reattach(absl::string_view handle, const LaunchSpec& spec) = 0;
  // The handle of a worker that attached before its handle was stored, from the process id that it gave.
  virtual absl::StatusOr<std::string> Adopt(int64_t process_id, const LaunchSpec& spec) = 0;
  // Frees what is kept for an ended worker.
  virtual void Forget(absl::string_view handle) = 0;
};

}  // namespace tersor

#endif  // TERSOR_SERVER_EXECUTOR_EXECUTOR_H_
