#include "server/store/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

absl::Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  return error ? ErrnoStatus(error.value(), "creating folder", folder) : absl::OkStatus();
}

absl::Status LockedByAnother(const fs::path& root, int fd) {
  char buffer[32] = {};
  const ssize_t count = pread(fd, buffer, sizeof(buffer) - 1, 0);
  const absl::string_view pid = absl::StripAsciiWhitespace(absl::string_view(buffer, count > 0 ? count : 0));
  return absl::FailedPreconditionError(
      absl::StrCat("data folder ", root.string(), " is locked by another tersord (pid ", pid.empty() ? "unknown" : pid,
                   "): stop it or use another --data folder"));
}

// The lock is the kernel's, so that it ends with the process; the file's text only tells whose it is. The descriptor is
// not inherited by workers, which outlive the server.
absl::StatusOr<int> Lock(const fs::path& root) {
  const fs::path path = root / "lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus(errno, "opening lock file", path);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    const absl::Status status = errno == EWOULDBLOCK ? LockedByAnother(root, fd) : ErrnoStatus(errno, "locking", path);
    close(fd);
    return status;
  }
  const std::string text = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) != 0 || pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    const absl::Status status = ErrnoStatus(errno, "writing lock file", path);
    close(fd);
    return status;
  }
  return fd;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DataFolder>> DataFolder::Open(const fs::path& root) {
  std::error_code error;
  const fs::path absolute = fs::absolute(root, error);
  if (error) return ErrnoStatus(error.value(), "finding folder", root);
  TERSOR_RETURN_IF_ERROR(MakeFolder(absolute));
  if (chmod(absolute.c_str(), 0700) != 0) return ErrnoStatus(errno, "protecting folder", absolute);
  TERSOR_ASSIGN_OR_RETURN(const int fd, Lock(absolute));
  std::unique_ptr<DataFolder> folder(new DataFolder(absolute, fd));
  for (const fs::path& part : {folder->jobs(), folder->models(), folder->blobs(), folder->cache()}) {
    TERSOR_RETURN_IF_ERROR(MakeFolder(part));
  }
  return folder;
}

DataFolder::~DataFolder() { close(lock_fd_); }

fs::path DataFolder::attempt_log(absl::string_view id, int attempt) const {
  return job(id) / "attempts" / absl::StrCat(attempt, ".log");
}

absl::Status DataFolder::CreateJob(absl::string_view id) const {
  TERSOR_RETURN_IF_ERROR(MakeFolder(job(id) / "attempts"));
  TERSOR_RETURN_IF_ERROR(MakeFolder(checkpoint(id)));
  return MakeFolder(artifacts(id));
}

}  // namespace tersor
