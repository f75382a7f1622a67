#include "server/rpc/file_stream.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/input_file.h"

namespace tersor {
namespace {

constexpr int64_t kChunk = 1 << 20;

class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  ~OpenFile() { close(fd_); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

absl::Status StreamFile(const std::filesystem::path& root, const std::filesystem::path& path, int64_t offset,
                        absl::FunctionRef<bool(std::string chunk, int64_t total_bytes)> write) {
  TERSOR_ASSIGN_OR_RETURN(const int fd, OpenInputBelow(root, path));
  const OpenFile file(fd);
  struct stat info;
  if (fstat(file.fd(), &info) != 0) return ErrnoStatus(errno, "opening", path.filename());
  const int64_t total = info.st_size;
  if (offset < 0 || offset > total) {
    return absl::OutOfRangeError(absl::StrCat("offset ", offset, " of a file of ", total, " bytes"));
  }
  do {
    std::string chunk(static_cast<size_t>(std::min(kChunk, total - offset)), '\0');
    const ssize_t count = pread(file.fd(), chunk.data(), chunk.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoStatus(errno, "reading", path.filename());
    if (count == 0 && offset < total) return absl::DataLossError("the file became shorter while it was read");
    chunk.resize(static_cast<size_t>(count));
    offset += count;
    if (!write(std::move(chunk), total)) return absl::CancelledError("the reader went away");
  } while (offset < total);
  return absl::OkStatus();
}

}  // namespace tersor
