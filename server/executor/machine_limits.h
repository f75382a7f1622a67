// Cores and memory that this process may really use.
#ifndef TERSOR_SERVER_EXECUTOR_MACHINE_LIMITS_H_
#define TERSOR_SERVER_EXECUTOR_MACHINE_LIMITS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace tersor {

struct MachineLimits {
  int threads = 1;
  int64_t memory_bytes = 0;
};

// cgroup v2's cpu.max, "QUOTA PERIOD" or "max PERIOD": cores, rounded up, at least 1. Nothing where there is no limit
// or the text is not of this form.
std::optional<int> ParseCpuMax(absl::string_view text);

// memory.max or v1's memory.limit_in_bytes: nothing for "max", text that is no number, or v1's "no limit" near 2^63.
std::optional<int64_t> ParseMemoryMax(absl::string_view text);

// MemTotal of /proc/meminfo in bytes; 0 where it is missing.
int64_t ParseMemTotal(absl::string_view text);

// The path of this process in one hierarchy, from /proc/self/cgroup: `controller` "" is v2's line "0::PATH", else v1's
// "N:...,controller,...:PATH".
std::optional<std::string> ParseCgroupPath(absl::string_view text, absl::string_view controller);

// The smallest of what sched_getaffinity, /proc/meminfo and every cgroup from the process's own up to the root allow.
// v2 is read below `cgroup_root`, v1 below its folders cpu and memory.
MachineLimits ReadMachineLimits(const std::filesystem::path& cgroup_root = "/sys/fs/cgroup");

}  // namespace tersor

#endif  // TERSOR_SERVER_EXECUTOR_MACHINE_LIMITS_H_
