#include "core/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/mapped_inputs.h"

namespace tersor {
namespace {

std::filesystem::path TemporaryName(const std::filesystem::path& path) {
  static std::atomic<int> counter{0};
  return std::filesystem::path(path) += absl::StrCat(".tmp-", getpid(), "-", counter.fetch_add(1));
}

absl::Status SyncFolder(const std::filesystem::path& folder) {
  const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "opening folder", folder);
  // Some file systems cannot sync a folder (EINVAL); the rename is then as durable as they make it.
  const bool failed = fsync(fd) != 0 && errno != EINVAL;
  const int error = errno;
  close(fd);
  return failed ? ErrnoStatus(error, "syncing folder", folder) : absl::OkStatus();
}

}  // namespace

absl::Status ErrnoStatus(int error, absl::string_view what, const std::filesystem::path& path) {
  const std::string message = absl::StrCat(what, ": ", path.string(), ": ", std::strerror(error));
  switch (error) {
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(message);
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(message);
    default:
      return absl::InternalError(message);
  }
}

AtomicFile::AtomicFile(std::filesystem::path path, std::filesystem::path temporary, int fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept { *this = std::move(other); }

AtomicFile& AtomicFile::operator=(AtomicFile&& other) noexcept {
  if (this == &other) return *this;
  Abandon();
  path_ = std::move(other.path_);
  temporary_ = std::move(other.temporary_);
  fd_ = std::exchange(other.fd_, -1);
  size_ = other.size_;
  return *this;
}

AtomicFile::~AtomicFile() { Abandon(); }

void AtomicFile::Abandon() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
  fd_ = -1;
}

absl::StatusOr<AtomicFile> AtomicFile::Create(const std::filesystem::path& path) {
  std::filesystem::path temporary = TemporaryName(path);
  const int fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  // The name that was asked for: nobody knows the other.
  if (fd < 0) return ErrnoStatus(errno, "creating file", path);
  return AtomicFile(path, std::move(temporary), fd);
}

absl::Status AtomicFile::Append(absl::string_view bytes) {
  if (fd_ < 0) return absl::FailedPreconditionError(absl::StrCat("file is closed: ", path_.string()));
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, "writing file", path_);
    bytes.remove_prefix(static_cast<size_t>(written));
    size_ += static_cast<uint64_t>(written);
  }
  return absl::OkStatus();
}

absl::Status AtomicFile::Commit() {
  if (fd_ < 0) return absl::FailedPreconditionError(absl::StrCat("file is closed: ", path_.string()));
  TERSOR_RETURN_IF_ERROR(CheckMappedInputs());
  if (fsync(fd_) != 0) return ErrnoStatus(errno, "syncing file", path_);
  if (rename(temporary_.c_str(), path_.c_str()) != 0) return ErrnoStatus(errno, "renaming file to", path_);
  close(fd_);
  fd_ = -1;
  return SyncFolder(path_.parent_path());
}

absl::Status WriteFileAtomically(const std::filesystem::path& path, absl::string_view contents) {
  TERSOR_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path));
  TERSOR_RETURN_IF_ERROR(file.Append(contents));
  return file.Commit();
}

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path, uint64_t limit) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "opening file", path);
  return ReadDescriptor(fd, path, limit);
}

absl::StatusOr<std::string> ReadDescriptor(int fd, const std::filesystem::path& path, uint64_t limit) {
  std::string contents;
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    const int error = errno;
    if (count <= 0) {
      close(fd);
      if (count < 0) return ErrnoStatus(error, "reading file", path);
      return contents;
    }
    contents.append(buffer, static_cast<size_t>(count));
    if (contents.size() > limit) {
      close(fd);
      return absl::InvalidArgumentError(absl::StrCat(path.string(), ": larger than the limit of ", limit, " bytes"));
    }
  }
}

absl::Status CommitFolder(const std::filesystem::path& temporary, const std::filesystem::path& path) {
  TERSOR_RETURN_IF_ERROR(CheckMappedInputs());
  std::error_code error;
  const std::filesystem::path replaced = TemporaryName(path);
  const bool replaces = std::filesystem::exists(path, error);
  if (replaces && rename(path.c_str(), replaced.c_str()) != 0) return ErrnoStatus(errno, "moving aside", path);
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const int failure = errno;
    if (replaces) rename(replaced.c_str(), path.c_str());
    return ErrnoStatus(failure, "renaming folder to", path);
  }
  if (replaces) std::filesystem::remove_all(replaced, error);
  return SyncFolder(path.parent_path());
}

}  // namespace tersor
