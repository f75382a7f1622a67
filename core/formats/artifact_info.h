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

}  // namespace tersor

#endif  // TERSOR_CORE_FORMATS_ARTIFACT_INFO_H_
