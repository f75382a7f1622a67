#include "server/engine/linked_bytes.h"

#include <sys/stat.h>

#include <system_error>

#include "absl/functional/function_ref.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

void VisitFile(const fs::path& path, absl::FunctionRef<void(const struct stat&)> visit) {
  struct stat info;
  if (lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode)) visit(info);
}

void VisitFiles(const fs::path& path, absl::FunctionRef<void(const struct stat&)> visit) {
  VisitFile(path, visit);
  std::error_code error;
  fs::recursive_directory_iterator entry(path, error);
  for (const auto end = fs::recursive_directory_iterator(); !error && entry != end; entry.increment(error)) {
    VisitFile(entry->path(), visit);
  }
}

}  // namespace

int64_t LinkedBytes::Add(const fs::path& path) {
  int64_t bytes = 0;
  VisitFiles(path, [&](const struct stat& info) {
    Entry& entry = entries_[{info.st_dev, info.st_ino}];
    entry.bytes = info.st_size;
    entry.links = static_cast<int64_t>(info.st_nlink);
    ++entry.known;
    bytes += info.st_size;
  });
  return bytes;
}

int64_t LinkedBytes::Total() const {
  int64_t bytes = 0;
  for (const auto& [inode, entry] : entries_) bytes += entry.known >= entry.links ? entry.bytes : 0;
  return bytes;
}

int64_t LinkedBytes::Remove(const fs::path& path) {
  int64_t bytes = 0;
  VisitFiles(path, [&](const struct stat& info) {
    const auto found = entries_.find({info.st_dev, info.st_ino});
    // Came after the files were taken in.
    if (found == entries_.end()) return;
    Entry& entry = found->second;
    --entry.known;
    if (--entry.links > 0) return;
    bytes += entry.bytes;
    entries_.erase(found);
  });
  return bytes;
}

}  // namespace tersor
