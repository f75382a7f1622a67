#include "core/formats/artifact_info.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/atomic_file.h"
#include "core/base/sha256.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

absl::StatusOr<std::vector<fs::path>> FilesOf(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    std::error_code ignored;
    if (!it->is_regular_file(ignored)) {
      return absl::InvalidArgumentError(absl::StrCat(it->path().string(), ": not a regular file"));
    }
    files.push_back(it->path());
  }
  if (error) return ErrnoStatus(error.value(), "listing folder", folder);
  std::sort(files.begin(), files.end());
  return files;
}

absl::StatusOr<v1::ArtifactInfo::File> DescribeFile(const fs::path& path) {
  v1::ArtifactInfo::File file;
  file.set_path(path.filename().string());
  std::error_code error;
  const uint64_t bytes = fs::file_size(path, error);
  if (error) return ErrnoStatus(error.value(), "measuring file", path);
  file.set_bytes(static_cast<int64_t>(bytes));
  TERSOR_ASSIGN_OR_RETURN(*file.mutable_sha256(), Sha256HexOfFile(path));
  return file;
}

}  // namespace

absl::StatusOr<v1::ArtifactInfo> DescribeArtifact(absl::string_view name, const fs::path& path) {
  v1::ArtifactInfo info;
  info.set_name(std::string(name));
  info.set_path((path.has_filename() ? path : path.parent_path()).filename().string());
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    TERSOR_ASSIGN_OR_RETURN(const v1::ArtifactInfo::File file, DescribeFile(path));
    info.set_bytes(file.bytes());
    info.set_sha256(file.sha256());
    *info.add_files() = file;
    return info;
  }
  TERSOR_ASSIGN_OR_RETURN(const std::vector<fs::path> files, FilesOf(path));
  Sha256 digest;
  for (const fs::path& file_path : files) {
    TERSOR_ASSIGN_OR_RETURN(const v1::ArtifactInfo::File file, DescribeFile(file_path));
    digest.UpdateField(file.path());
    digest.UpdateField(file.sha256());
    info.set_bytes(info.bytes() + file.bytes());
    *info.add_files() = file;
  }
  info.set_sha256(digest.HexDigest());
  return info;
}

v1::ArtifactInfo RelativeToArtifacts(v1::ArtifactInfo info) {
  if (info.files_size() == 1 && info.files(0).path() == info.path()) return info;
  for (v1::ArtifactInfo::File& file : *info.mutable_files()) file.set_path(absl::StrCat(info.path(), "/", file.path()));
  return info;
}

bool FilesStand(const v1::ArtifactInfo& info, const fs::path& artifacts_dir) {
  return std::all_of(info.files().begin(), info.files().end(), [&](const v1::ArtifactInfo::File& file) {
    std::error_code error;
    const uintmax_t bytes = fs::file_size(artifacts_dir / file.path(), error);
    return !error && bytes == static_cast<uintmax_t>(file.bytes());
  });
}

}  // namespace tersor
