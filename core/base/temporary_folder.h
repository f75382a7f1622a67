// Folders that appear whole or not at all.
#ifndef TERSOR_CORE_BASE_TEMPORARY_FOLDER_H_
#define TERSOR_CORE_BASE_TEMPORARY_FOLDER_H_

#include <filesystem>

#include "core/base/status.h"

namespace tersor {

// An empty folder PATH.tmp-PID-N beside `path`; Commit renames it to `path`, replacing an earlier folder. Dropped
// without Commit it is removed with all it holds. Not thread-safe.
class TemporaryFolder {
 public:
  static absl::StatusOr<TemporaryFolder> Create(const std::filesystem::path& path);
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept;
  ~TemporaryFolder();

  // Where to write until Commit.
  const std::filesystem::path& path() const { return temporary_; }
  // The files inside must be durable already (AtomicFile makes them so).
  absl::Status Commit();

 private:
  TemporaryFolder(std::filesystem::path path, std::filesystem::path temporary);
  void Abandon();

  std::filesystem::path path_;
  // Empty once committed or moved from.
  std::filesystem::path temporary_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_BASE_TEMPORARY_FOLDER_H_
