// Paths that come from clients.
#ifndef TERSOR_SERVER_ENGINE_SAFE_PATH_H_
#define TERSOR_SERVER_ENGINE_SAFE_PATH_H_

#include <filesystem>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"

namespace tersor {

// Whether `path` is relative, without empty, "." or ".." parts, NUL or backslash, and at most 1024 bytes long.
bool IsSafeRelativePath(absl::string_view path);

// Whether `name` is 1 to 128 of A-Z a-z 0-9 . _ - and does not start with a dot.
bool IsSafeName(absl::string_view name);

// Whether `path`, with every symbolic link resolved, lies in `root` or is it.
bool IsBelow(const std::filesystem::path& path, const std::filesystem::path& root);

bool IsBelowAny(const std::filesystem::path& path, const std::vector<std::filesystem::path>& roots);

// The file `relative` in `folder`. INVALID_ARGUMENT where the path leaves the folder, lexically or through a link;
// NOT_FOUND where there is no such regular file.
absl::StatusOr<std::filesystem::path> ResolveFileIn(const std::filesystem::path& folder, absl::string_view relative);

}  // namespace tersor

#endif  // TERSOR_SERVER_ENGINE_SAFE_PATH_H_
