#include "server/engine/safe_path.h"

#include <algorithm>
#include <string>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace tersor {

namespace fs = std::filesystem;

bool IsSafeRelativePath(absl::string_view path) {
  if (path.empty() || path.size() > 1024) return false;
  for (const char c : path) {
    if (c == '\0' || c == '\\') return false;
  }
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

bool IsSafeName(absl::string_view name) {
  if (name.empty() || name.size() > 128 || name[0] == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

bool IsBelow(const fs::path& path, const fs::path& root) {
  // The system would open what stands before it.
  if (path.native().find('\0') != std::string::npos) return false;
  std::error_code error;
  const fs::path real = fs::weakly_canonical(path, error);
  if (error) return false;
  const fs::path real_root = fs::weakly_canonical(root, error);
  if (error) return false;
  const auto ends = std::mismatch(real_root.begin(), real_root.end(), real.begin(), real.end());
  return ends.first == real_root.end() || ends.first->empty();
}

bool IsBelowAny(const fs::path& path, const std::vector<fs::path>& roots) {
  return std::any_of(roots.begin(), roots.end(), [&](const fs::path& root) { return IsBelow(path, root); });
}

absl::StatusOr<fs::path> ResolveFileIn(const fs::path& folder, absl::string_view relative) {
  const fs::path path = folder / std::string(relative);
  if (!IsSafeRelativePath(relative) || !IsBelow(path, folder)) {
    return absl::InvalidArgumentError(absl::StrCat("path \"", relative, "\" leaves its folder"));
  }
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return absl::NotFoundError(absl::StrCat("no file \"", relative, "\""));
  return path;
}

}  // namespace tersor
