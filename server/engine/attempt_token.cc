#include "server/engine/attempt_token.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/atomic_file.h"
#include "core/base/sha256.h"
#include "server/base/random_token.h"

namespace tersor {

std::string NewAttemptToken() { return RandomHex(32); }

std::string HashAttemptToken(absl::string_view token) { return Sha256Hex(token); }

bool AttemptTokenMatches(absl::string_view token, absl::string_view hash) {
  return ConstantTimeEqual(HashAttemptToken(token), hash);
}

absl::Status WriteTokenFile(const std::filesystem::path& path, absl::string_view token) {
  // Removed first: an earlier file keeps its permissions when it is opened again.
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return ErrnoStatus(errno, "removing", path);
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoStatus(errno, "creating", path);
  const bool written = write(fd, token.data(), token.size()) == static_cast<ssize_t>(token.size());
  const int error = errno;
  close(fd);
  return written ? absl::OkStatus() : ErrnoStatus(error, "writing", path);
}

}  // namespace tersor
