#include "server/store/ballast.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "server/base/log.h"

namespace tersor {
namespace {

constexpr int64_t kMostBytes = int64_t{16} << 20;
// Less would not hold a report.
constexpr int64_t kLeastBytes = int64_t{64} << 10;

}  // namespace

void Ballast::Keep() const {
  std::error_code error;
  if (std::filesystem::exists(path_, error)) return;
  const std::filesystem::space_info space = std::filesystem::space(path_.parent_path(), error);
  if (error) return;
  const int64_t bytes = std::min(kMostBytes, static_cast<int64_t>(space.available / 16));
  if (bytes < kLeastBytes) return;
  const int fd = open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return;
  const bool kept = posix_fallocate(fd, 0, bytes) == 0;
  close(fd);
  if (!kept) unlink(path_.c_str());
}

bool Ballast::Release() const {
  if (unlink(path_.c_str()) != 0) return false;
  Log(LogLevel::kWarning, "the disk is full: the room that was kept for the end of attempts is used",
      {{"path", path_.string()}});
  return true;
}

}  // namespace tersor
