#include "core/base/temporary_folder.h"

#include <unistd.h>

#include <atomic>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"

namespace tersor {

TemporaryFolder::TemporaryFolder(std::filesystem::path path, std::filesystem::path temporary)
    : path_(std::move(path)), temporary_(std::move(temporary)) {}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept { *this = std::move(other); }

TemporaryFolder& TemporaryFolder::operator=(TemporaryFolder&& other) noexcept {
  if (this == &other) return *this;
  Abandon();
  path_ = std::move(other.path_);
  temporary_ = std::exchange(other.temporary_, {});
  return *this;
}

TemporaryFolder::~TemporaryFolder() { Abandon(); }

void TemporaryFolder::Abandon() {
  std::error_code error;
  if (!temporary_.empty()) std::filesystem::remove_all(temporary_, error);
  temporary_.clear();
}

absl::StatusOr<TemporaryFolder> TemporaryFolder::Create(const std::filesystem::path& path) {
  static std::atomic<int> counter{0};
  // "folder/" would put the temporary folder inside the final one.
  std::filesystem::path final_path = path.has_filename() ? path : path.parent_path();
  std::filesystem::path temporary = final_path;
  temporary += absl::StrCat(".tmp-", getpid(), "-", counter.fetch_add(1));
  std::error_code error;
  // Left over by a dead process that had the same number.
  std::filesystem::remove_all(temporary, error);
  if (!std::filesystem::create_directories(temporary, error) || error) {
    return ErrnoStatus(error.value(), "creating folder", temporary);
  }
  return TemporaryFolder(std::move(final_path), std::move(temporary));
}

absl::Status TemporaryFolder::Commit() {
  TERSOR_RETURN_IF_ERROR(CommitFolder(temporary_, path_));
  temporary_.clear();
  return absl::OkStatus();
}

}  // namespace tersor
