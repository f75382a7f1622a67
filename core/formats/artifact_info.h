// What stands on disk, for the report.
#ifndef TERSOR_CORE_FORMATS_ARTIFACT_INFO_H_
#define TERSOR_CORE_FORMATS_ARTIFACT_INFO_H_

#include <filesystem>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Bytes and SHA-256 of the file, or of a folder's files (sorted by name) and over their hashes. `path` of the answer is
// the file name alone; `verification` is left empty. INVALID_ARGUMENT for a folder that holds anything but files.
absl::StatusOr<v1::ArtifactInfo> DescribeArtifact(absl::string_view name, const std::filesystem::path& path);

// Puts a folder's name before the names of its files, so that they are relative to the folder that holds all artifacts:
// "config.json" becomes "tersor/config.json". A file's own entry stays.
v1::ArtifactInfo RelativeToArtifacts(v1::ArtifactInfo info);

// Whether every file of the artifact still stands in `artifacts_dir` with its size.
bool FilesStand(const v1::ArtifactInfo& info, const std::filesystem::path& artifacts_dir);

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_ARTIFACT_INFO_H_
