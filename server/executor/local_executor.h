// Workers as processes of this machine.
#ifndef TERSOR_SERVER_EXECUTOR_LOCAL_EXECUTOR_H_
#define TERSOR_SERVER_EXECUTOR_LOCAL_EXECUTOR_H_

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "server/base/mutex.h"
#include "server/executor/executor.h"
#include "server/executor/memory_cgroup.h"

namespace tersor {

// What a handle's text says: "local:PID:START_TICKS" and, where the worker has one, ":CGROUP_FOLDER".
struct LocalHandle {
  int64_t pid = 0;
  uint64_t start_ticks = 0;
  std::filesystem::path cgroup;
};
std::string FormatLocalHandle(const LocalHandle& handle);
absl::StatusOr<LocalHandle> ParseLocalHandle(absl::string_view text);

// Workers lead sessions of their own, so that neither a signal to the server's group nor its end reaches them. Without
// cgroups Poll is the watchdog that keeps the limit of memory: call it several times a second.
class LocalExecutor final : public Executor {
 public:
  LocalExecutor(std::filesystem::path worker_program, std::optional<MemoryCgroups> cgroups)
      : worker_program_(std::move(worker_program)), cgroups_(std::move(cgroups)) {}

  absl::StatusOr<std::string> Start(const LaunchSpec& spec) override;
  WorkerStatus Poll(absl::string_view handle) override;
  void Stop(absl::string_view handle, StopMode mode) override;
  absl::Status Reattach(absl::string_view handle, const LaunchSpec& spec) override;
  absl::StatusOr<std::string> Adopt(int64_t process_id, const LaunchSpec& spec) override;
  void Forget(absl::string_view handle) override;

 private:
  struct Worker {
    LocalHandle process;
    // Ours to wait for; false for one that an earlier server started.
    bool child = false;
    int64_t memory_bytes = 0;
    bool over_limit = false;
    bool ended = false;
    std::string ending;
  };

  Worker* Find(absl::string_view handle) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoticeEnd(Worker& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::filesystem::path worker_program_;
  const std::optional<MemoryCgroups> cgroups_;
  Mutex mutex_;
  std::map<std::string, Worker, std::less<>> workers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace tersor

#endif  // TERSOR_SERVER_EXECUTOR_LOCAL_EXECUTOR_H_
