// Files that appear whole or not at all.
#ifndef TERSOR_CORE_BASE_ATOMIC_FILE_H_
#define TERSOR_CORE_BASE_ATOMIC_FILE_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// Writes to PATH.tmp-PID-N beside `path`; Commit makes it durable (fsync) and renames it. Dropped without Commit the
// temporary file is removed. Not thread-safe. Errors name the file; a full disk is RESOURCE_EXHAUSTED.
class AtomicFile {
 public:
  static absl::StatusOr<AtomicFile> Create(const std::filesystem::path& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&& other) noexcept;
  ~AtomicFile();

  absl::Status Append(absl::string_view bytes);
  absl::Status Append(const void* data, size_t bytes) {
    return Append(absl::string_view(static_cast<const char*>(data), bytes));
  }
  uint64_t size() const { return size_; }
  // Where the bytes lie until Commit.
  const std::filesystem::path& temporary_path() const { return temporary_; }
  absl::Status Commit();

 private:
  AtomicFile(std::filesystem::path path, std::filesystem::path temporary, int fd);
  void Abandon();

  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

absl::Status WriteFileAtomically(const std::filesystem::path& path, absl::string_view contents);

// A file of our own: what strangers bring is read by input_file.h. NOT_FOUND where there is none, INVALID_ARGUMENT
// where it is larger than `limit`.
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path, uint64_t limit = uint64_t{1} << 30);

// The same for an open file, which it closes; `path` stands in messages.
absl::StatusOr<std::string> ReadDescriptor(int fd, const std::filesystem::path& path, uint64_t limit);

// Renames a finished temporary folder (its files already durable) to its final name; replaces an earlier one.
absl::Status CommitFolder(const std::filesystem::path& temporary, const std::filesystem::path& path);

// Status for errno after a failed call on `path`: "doing WHAT: PATH: reason".
absl::Status ErrnoStatus(int error, absl::string_view what, const std::filesystem::path& path);

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_ATOMIC_FILE_H_
