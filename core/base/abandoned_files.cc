#include "core/base/abandoned_files.h"

#include <signal.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"

namespace tersor {

namespace fs = std::filesystem;

bool IsAbandoned(const fs::path& path) {
  const std::string name = path.filename().string();
  const size_t mark = name.rfind(".tmp-");
  if (mark == std::string::npos) return false;
  const std::vector<absl::string_view> numbers = absl::StrSplit(absl::string_view(name).substr(mark + 5), '-');
  int pid = 0, count = 0;
  if (numbers.size() != 2 || !absl::SimpleAtoi(numbers[0], &pid) || !absl::SimpleAtoi(numbers[1], &count)) return false;
  return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

int RemoveAbandoned(const fs::path& folder) {
  std::vector<fs::path> abandoned;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (!IsAbandoned(entry->path())) continue;
    abandoned.push_back(entry->path());
    entry.disable_recursion_pending();
  }
  for (const fs::path& path : abandoned) fs::remove_all(path, error);
  return static_cast<int>(abandoned.size());
}

}  // namespace tersor
