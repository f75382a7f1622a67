#include "core/base/input_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/base/atomic_file.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// A named pipe must not keep us waiting.
constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

struct Confinement {
  std::mutex mutex;
  std::optional<std::vector<fs::path>> roots;
};

Confinement& TheConfinement() {
  static Confinement* const confinement = new Confinement;
  return *confinement;
}

std::optional<std::vector<fs::path>> CurrentRoots() {
  std::lock_guard<std::mutex> lock(TheConfinement().mutex);
  return TheConfinement().roots;
}

absl::StatusOr<int> CheckRegular(int fd, const fs::path& path) {
  struct stat info = {};
  if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) return fd;
  close(fd);
  return absl::InvalidArgumentError(absl::StrCat("not a regular file: ", path.string()));
}

absl::Status LeadsOutside(const fs::path& path, const std::vector<fs::path>& roots) {
  const std::string names =
      absl::StrJoin(roots, ", ", [](std::string* out, const fs::path& root) { *out += root.string(); });
  return absl::InvalidArgumentError(absl::StrCat(path.string(), " leads outside of the folders that may be read (",
                                                 names, "): put the file itself in place of the link"));
}

// Each folder on the way is opened from the one before it, and none of them may be a link.
int OpenStepByStep(int root, const fs::path& relative) {
  int folder = dup(root);
  for (auto part = relative.begin(); folder >= 0 && part != relative.end(); ++part) {
    const bool last = std::next(part) == relative.end();
    const int flags = last ? kFlags : O_PATH | O_DIRECTORY | O_CLOEXEC;
    // ".." would be a way out; a path whose links are resolved has none.
    const int next = *part == ".." ? (errno = EXDEV, -1) : openat(folder, part->c_str(), flags | O_NOFOLLOW);
    const int error = errno;
    close(folder);
    errno = error;
    folder = next;
  }
  return folder;
}

// The part of `path` below `root`, both without links; none where it lies elsewhere.
std::optional<fs::path> PartBelow(const fs::path& path, const fs::path& root) {
  const auto ends = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  if (ends.first != root.end() && !ends.first->empty()) return std::nullopt;
  fs::path part;
  for (auto name = ends.second; name != path.end(); ++name) part /= *name;
  return part;
}

absl::StatusOr<int> OpenResolved(const fs::path& root, const fs::path& part, const fs::path& path) {
  // A root that is the file itself is opened from its folder.
  const fs::path folder = part.empty() ? root.parent_path() : root;
  const int root_fd = open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root_fd < 0) return ErrnoStatus(errno, "opening folder", folder);
  const int fd = OpenBeneath(root_fd, part.empty() ? root.filename() : part, /*with_openat2=*/true);
  const int error = errno;
  close(root_fd);
  // Somebody put a link where there was none a moment ago.
  if (fd < 0 && (error == ELOOP || error == EXDEV)) return LeadsOutside(path, {root});
  if (fd < 0) return ErrnoStatus(error, "opening file", path);
  return CheckRegular(fd, path);
}

absl::StatusOr<int> OpenBelowAny(const std::vector<fs::path>& roots, const fs::path& path) {
  std::error_code error;
  const fs::path resolved = fs::canonical(path, error);
  if (error) return ErrnoStatus(error.value(), "opening file", path);
  for (const fs::path& root : roots) {
    const std::optional<fs::path> part = PartBelow(resolved, root);
    if (part.has_value()) return OpenResolved(root, *part, path);
  }
  return LeadsOutside(path, roots);
}

std::vector<fs::path> Resolved(const std::vector<fs::path>& roots) {
  std::vector<fs::path> resolved;
  for (const fs::path& root : roots) {
    std::error_code error;
    const fs::path real = fs::canonical(root, error);
    if (!error) resolved.push_back(real);
  }
  return resolved;
}

}  // namespace

int OpenBeneath(int root, const fs::path& relative, bool with_openat2) {
  if (!with_openat2) return OpenStepByStep(root, relative);
  open_how how = {};
  how.flags = kFlags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long fd = syscall(SYS_openat2, root, relative.c_str(), &how, sizeof(how));
  // An old kernel, or a sandbox that does not know the call.
  if (fd < 0 && (errno == ENOSYS || errno == EPERM)) return OpenStepByStep(root, relative);
  return static_cast<int>(fd);
}

void ConfineInputs(const std::vector<fs::path>& roots) {
  std::vector<fs::path> resolved = Resolved(roots);
  std::lock_guard<std::mutex> lock(TheConfinement().mutex);
  TheConfinement().roots = std::move(resolved);
}

absl::StatusOr<int> OpenInput(const fs::path& path) {
  const std::optional<std::vector<fs::path>> roots = CurrentRoots();
  if (roots.has_value()) return OpenBelowAny(*roots, path);
  const int fd = open(path.c_str(), kFlags);
  if (fd < 0) return ErrnoStatus(errno, "opening file", path);
  return CheckRegular(fd, path);
}

absl::StatusOr<int> OpenInputBelow(const fs::path& root, const fs::path& path) {
  return OpenBelowAny(Resolved({root}), path);
}

absl::StatusOr<std::string> ReadInputFile(const fs::path& path, uint64_t limit) {
  TERSOR_ASSIGN_OR_RETURN(const int fd, OpenInput(path));
  return ReadDescriptor(fd, path, limit);
}

absl::StatusOr<std::string> ReadInputHead(const fs::path& path, size_t bytes) {
  TERSOR_ASSIGN_OR_RETURN(const int fd, OpenInput(path));
  std::string head(bytes, '\0');
  const ssize_t count = pread(fd, head.data(), bytes, 0);
  const int error = errno;
  close(fd);
  if (count < 0) return ErrnoStatus(error, "reading file", path);
  head.resize(static_cast<size_t>(count));
  return head;
}

}  // namespace tersor
