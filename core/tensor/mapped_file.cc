#include "core/tensor/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"

namespace tersor {

namespace {

// Where files are mapped: first byte to size. Never destroyed, as files may be unmapped while the process ends.
struct Mappings {
  std::mutex mutex;
  std::map<const std::byte*, size_t> sizes;
};

Mappings& AllMappings() {
  static Mappings* const mappings = new Mappings;
  return *mappings;
}

}  // namespace

MappedFile::MappedFile(std::filesystem::path path, const std::byte* data, size_t size)
    : path_(std::move(path)), data_(data), size_(size) {
  if (size_ == 0) return;
  std::lock_guard<std::mutex> lock(AllMappings().mutex);
  AllMappings().sizes[data_] = size_;
}

MappedFile::~MappedFile() {
  if (size_ == 0) return;
  std::lock_guard<std::mutex> lock(AllMappings().mutex);
  AllMappings().sizes.erase(data_);
  munmap(const_cast<std::byte*>(data_), size_);
}

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::filesystem::path& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, "opening file", path);
  struct stat info = {};
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(fd);
    return absl::InvalidArgumentError(absl::StrCat("not a regular file: ", path.string()));
  }
  const size_t size = static_cast<size_t>(info.st_size);
  void* data = nullptr;
  if (size > 0) {
    data = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
      const int error = errno;
      close(fd);
      return ErrnoStatus(error, "mapping file", path);
    }
  }
  close(fd);
  return std::shared_ptr<const MappedFile>(new MappedFile(path, static_cast<const std::byte*>(data), size));
}

void ReleaseMappedPages(std::span<const std::byte> bytes) {
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(bytes.data()) + page - 1) / page * page;
  const uintptr_t end = reinterpret_cast<uintptr_t>(bytes.data() + bytes.size()) / page * page;
  if (begin >= end) return;
  std::lock_guard<std::mutex> lock(AllMappings().mutex);
  const auto after = AllMappings().sizes.upper_bound(bytes.data());
  if (after == AllMappings().sizes.begin()) return;
  const auto [data, size] = *std::prev(after);
  if (bytes.data() + bytes.size() > data + size) return;
  // Of no account where it fails: the pages stay.
  madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}

}  // namespace tersor
