#include "server/executor/memory_cgroup.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/atomic_file.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// The kernel's files take one write and are never replaced by renaming.
absl::Status WriteControl(const fs::path& path, absl::string_view text) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "opening", path);
  const bool written = write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  close(fd);
  return written ? absl::OkStatus() : ErrnoStatus(error, "writing", path);
}

absl::Status MakeGroup(const fs::path& group) {
  std::error_code error;
  fs::create_directory(group, error);
  return error ? ErrnoStatus(error.value(), "creating cgroup", group) : absl::OkStatus();
}

bool HasMemoryController(const fs::path& own) {
  const absl::StatusOr<std::string> controllers = ReadFile(own / "cgroup.controllers");
  if (!controllers.ok()) return false;
  const std::vector<absl::string_view> names = absl::StrSplit(*controllers, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  return std::find(names.begin(), names.end(), "memory") != names.end();
}

}  // namespace

int64_t ParseKeyedValue(absl::string_view text, absl::string_view key) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    int64_t value = 0;
    if (parts.first == key && absl::SimpleAtoi(parts.second, &value)) return value;
  }
  return 0;
}

absl::StatusOr<MemoryCgroups> MemoryCgroups::Prepare(const fs::path& own, int64_t server_pid) {
  if (!HasMemoryController(own)) {
    return absl::FailedPreconditionError(absl::StrCat(own.string(), " is no cgroup v2 with the memory controller"));
  }
  const fs::path leaf = own / "tersord";
  TERSOR_RETURN_IF_ERROR(MakeGroup(leaf));
  TERSOR_RETURN_IF_ERROR(WriteControl(leaf / "cgroup.procs", absl::StrCat(server_pid)));
  const absl::Status enabled = WriteControl(own / "cgroup.subtree_control", "+memory");
  if (enabled.ok()) return MemoryCgroups(own);
  // Other processes live in the group: leave things as they were.
  WriteControl(own / "cgroup.procs", absl::StrCat(server_pid)).IgnoreError();
  Remove(leaf);
  return absl::FailedPreconditionError(enabled.message());
}

absl::StatusOr<fs::path> MemoryCgroups::Enter(absl::string_view name, int64_t pid, int64_t memory_bytes) const {
  const fs::path group = root_ / std::string(name);
  TERSOR_RETURN_IF_ERROR(MakeGroup(group));
  absl::Status status = WriteControl(group / "memory.max", absl::StrCat(memory_bytes));
  // Absent where the kernel has no swap accounting.
  if (status.ok()) WriteControl(group / "memory.swap.max", "0").IgnoreError();
  if (status.ok()) status = WriteControl(group / "cgroup.procs", absl::StrCat(pid));
  if (status.ok()) return group;
  Remove(group);
  return status;
}

bool MemoryCgroups::WasOutOfMemory(const fs::path& group) {
  const absl::StatusOr<std::string> events = ReadFile(group / "memory.events");
  return events.ok() && ParseKeyedValue(*events, "oom_kill") > 0;
}

int64_t MemoryCgroups::AnonymousBytes(const fs::path& group) {
  const absl::StatusOr<std::string> stat = ReadFile(group / "memory.stat");
  return stat.ok() ? ParseKeyedValue(*stat, "anon") : 0;
}

void MemoryCgroups::Remove(const fs::path& group) {
  // rmdir alone: the kernel's files in it are not ours to delete.
  rmdir(group.c_str());
}

}  // namespace tersor
