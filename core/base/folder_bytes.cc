#include "core/base/folder_bytes.h"

#include <system_error>

namespace tersor {

namespace fs = std::filesystem;

int64_t BytesBelow(const fs::path& folder) {
  int64_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (const auto end = fs::recursive_directory_iterator(); !error && entry != end; entry.increment(error)) {
    std::error_code failure;
    const uintmax_t size = entry->is_regular_file(failure) ? entry->file_size(failure) : 0;
    if (!failure) bytes += static_cast<int64_t>(size);
  }
  return bytes;
}

}  // namespace tersor
