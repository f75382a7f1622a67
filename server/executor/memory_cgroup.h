// A cgroup v2 of its own for each worker, with a limit of memory that the kernel keeps.
#ifndef TERSOR_SERVER_EXECUTOR_MEMORY_CGROUP_H_
#define TERSOR_SERVER_EXECUTOR_MEMORY_CGROUP_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// The delegated cgroup below which workers get theirs. cgroup v2 lets processes live only in leaves, so the server
// moves itself into a leaf "tersord" first. Thread-safe after construction.
class MemoryCgroups {
 public:
  // `own` is this process's cgroup folder. FAILED_PRECONDITION, with the reason, where it is not cgroup v2, not
  // writable or without the memory controller: callers then watch resident memory instead.
  static absl::StatusOr<MemoryCgroups> Prepare(const std::filesystem::path& own, int64_t server_pid);

  // Creates the group NAME with memory.max and no swap, and moves the process into it. Returns its folder.
  absl::StatusOr<std::filesystem::path> Enter(absl::string_view name, int64_t pid, int64_t memory_bytes) const;
  // Whether the kernel killed in this group for lack of memory.
  static bool WasOutOfMemory(const std::filesystem::path& group);
  // memory.current less what belongs to files.
  static int64_t AnonymousBytes(const std::filesystem::path& group);
  static void Remove(const std::filesystem::path& group);

 private:
  explicit MemoryCgroups(std::filesystem::path root) : root_(std::move(root)) {}

  std::filesystem::path root_;
};

// The value of KEY in a file of lines "KEY VALUE" (memory.events, memory.stat); 0 where there is none.
int64_t ParseKeyedValue(absl::string_view text, absl::string_view key);

}  // namespace tersor

#endif  // TERSOR_SERVER_EXECUTOR_MEMORY_CGROUP_H_
