#include "server/executor/machine_limits.h"

#include <sched.h>

#include <algorithm>
#include <limits>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "core/base/atomic_file.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

std::string ReadOrEmpty(const fs::path& path) {
  absl::StatusOr<std::string> text = ReadFile(path, 1 << 20);
  return text.ok() ? *std::move(text) : std::string();
}

int AffinityCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Calls `visit` with the process's cgroup folder and all above it, down to and including `mount`. In a container the
// path may name folders that are not visible inside: missing ones are passed over.
void VisitCgroups(const fs::path& mount, const std::string& path, absl::FunctionRef<void(const fs::path&)> visit) {
  fs::path relative = fs::path(path).relative_path().lexically_normal();
  while (!relative.empty() && relative != ".") {
    visit(mount / relative);
    relative = relative.parent_path();
  }
  visit(mount);
}

std::optional<int> CoresOfV1(const fs::path& folder) {
  return ParseCpuMax(absl::StrCat(absl::StripAsciiWhitespace(ReadOrEmpty(folder / "cpu.cfs_quota_us")), " ",
                                  absl::StripAsciiWhitespace(ReadOrEmpty(folder / "cpu.cfs_period_us"))));
}

}  // namespace

std::optional<int> ParseCpuMax(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  int64_t quota = 0;
  int64_t period = 0;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &quota) || !absl::SimpleAtoi(parts[1], &period)) {
    return std::nullopt;
  }
  if (quota <= 0 || period <= 0) return std::nullopt;
  const int64_t cores = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<int>(std::clamp<int64_t>(cores, 1, std::numeric_limits<int>::max()));
}

std::optional<int64_t> ParseMemoryMax(absl::string_view text) {
  constexpr int64_t kNoLimit = int64_t{1} << 60;
  int64_t bytes = 0;
  if (!absl::SimpleAtoi(text, &bytes) || bytes <= 0 || bytes >= kNoLimit) return std::nullopt;
  return bytes;
}

int64_t ParseMemTotal(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    if (!absl::ConsumePrefix(&line, "MemTotal:")) continue;
    absl::ConsumeSuffix(&line, " kB");
    int64_t kilobytes = 0;
    return absl::SimpleAtoi(line, &kilobytes) ? kilobytes * 1024 : 0;
  }
  return 0;
}

std::optional<std::string> ParseCgroupPath(absl::string_view text, absl::string_view controller) {
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::vector<absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    const std::vector<absl::string_view> names = absl::StrSplit(parts[1], ',');
    const bool matches =
        controller.empty() ? parts[1].empty() : std::find(names.begin(), names.end(), controller) != names.end();
    if (matches) return std::string(parts[2]);
  }
  return std::nullopt;
}

MachineLimits ReadMachineLimits(const fs::path& cgroup_root) {
  MachineLimits limits;
  limits.threads = AffinityCores();
  limits.memory_bytes = ParseMemTotal(ReadOrEmpty("/proc/meminfo"));
  const auto limit_cores = [&](std::optional<int> cores) {
    if (cores.has_value()) limits.threads = std::min(limits.threads, *cores);
  };
  const auto limit_memory = [&](std::optional<int64_t> bytes) {
    if (bytes.has_value()) limits.memory_bytes = std::min(limits.memory_bytes, *bytes);
  };
  const std::string own = ReadOrEmpty("/proc/self/cgroup");
  VisitCgroups(cgroup_root, ParseCgroupPath(own, "").value_or("/"), [&](const fs::path& folder) {
    limit_cores(ParseCpuMax(ReadOrEmpty(folder / "cpu.max")));
    limit_memory(ParseMemoryMax(ReadOrEmpty(folder / "memory.max")));
  });
  VisitCgroups(cgroup_root / "cpu", ParseCgroupPath(own, "cpu").value_or("/"),
               [&](const fs::path& folder) { limit_cores(CoresOfV1(folder)); });
  VisitCgroups(cgroup_root / "memory", ParseCgroupPath(own, "memory").value_or("/"), [&](const fs::path& folder) {
    limit_memory(ParseMemoryMax(ReadOrEmpty(folder / "memory.limit_in_bytes")));
  });
  return limits;
}

}  // namespace tersor
