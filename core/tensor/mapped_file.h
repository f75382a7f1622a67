// A file mapped read-only.
#ifndef TERSOR_CORE_TENSOR_MAPPED_FILE_H_
#define TERSOR_CORE_TENSOR_MAPPED_FILE_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "core/base/status.h"

namespace tersor {

// Immutable and thread-safe. Unmapped with its last shared_ptr. A file that shrinks or is
// written meanwhile does not end the process: see core/base/mapped_inputs.h.
class MappedFile {
 public:
  static absl::StatusOr<std::shared_ptr<const MappedFile>> Open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }

 private:
  MappedFile(std::filesystem::path path, const std::byte* data, size_t size);

  std::filesystem::path path_;
  const std::byte* data_;
  size_t size_;
};

// Gives the memory of the whole pages in `bytes` back to the system where they lie in a mapped file: they are read
// again when next touched. Does nothing to other memory. Thread-safe.
void ReleaseMappedPages(std::span<const std::byte> bytes);

}  // namespace tersor

#endif  // TERSOR_CORE_TENSOR_MAPPED_FILE_H_
