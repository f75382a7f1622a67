#include "core/base/abandoned_files.h"

#include <signal.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/atomic_file.h"

namespace tersor {

namespace fs = std::filesystem;

namespace {

// The process whose temporary name this is; 0 where it is none.
int OwnerOf(const fs::path& path) {
  const std::string name = path.filename().string();
  const size_t mark = name.rfind(".tmp-");
  if (mark == std::string::npos) return 0;
  const std::vector<absl::string_view> numbers = absl::StrSplit(absl::string_view(name).substr(mark + 5), '-');
  int pid = 0, count = 0;
  if (numbers.size() != 2 || !absl::SimpleAtoi(numbers[0], &pid) || !absl::SimpleAtoi(numbers[1], &count)) return 0;
  return pid > 0 ? pid : 0;
}

// One that has ended keeps its number until somebody asks how it ended, which may be never.
bool Runs(int pid) {
  if (kill(pid, 0) != 0) return errno != ESRCH;
  const absl::StatusOr<std::string> stat = ReadFile(absl::StrCat("/proc/", pid, "/stat"), 4096);
  // The state stands after the name, which is in parentheses and may hold any.
  const size_t end = stat.ok() ? stat->rfind(") ") : std::string::npos;
  return end == std::string::npos || ((*stat)[end + 2] != 'Z' && (*stat)[end + 2] != 'X');
}

int RemoveWhere(const fs::path& folder, absl::FunctionRef<bool(const fs::path&)> goes) {
  std::vector<fs::path> going;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!goes(entry->path())) continue;
    going.push_back(entry->path());
    entry.disable_recursion_pending();
  }
  for (const fs::path& path : going) fs::remove_all(path, error);
  return static_cast<int>(going.size());
}

}  // namespace

bool IsAbandoned(const fs::path& path) {
  const int owner = OwnerOf(path);
  return owner != 0 && !Runs(owner);
}

int RemoveAbandoned(const fs::path& folder) { return RemoveWhere(folder, IsAbandoned); }

int RemoveTemporaries(const fs::path& folder) {
  return RemoveWhere(folder, [](const fs::path& path) { return OwnerOf(path) != 0; });
}

}  // namespace tersor
