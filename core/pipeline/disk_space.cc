#include "core/pipeline/disk_space.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_format.h"
#include "core/base/folder_bytes.h"
#include "core/base/warning.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// Free to this user at `folder` or its nearest existing parent.
std::optional<int64_t> FreeBytes(fs::path folder) {
  std::error_code error;
  while (!fs::exists(folder, error) && folder.has_relative_path()) folder = folder.parent_path();
  const fs::space_info space = fs::space(folder.empty() ? "." : folder, error);
  if (error) return std::nullopt;
  return static_cast<int64_t>(std::min<uintmax_t>(space.available, INT64_MAX));
}

// Empty where it fits or that cannot be learned.
std::string Shortage(int64_t needed, const fs::path& folder) {
  const std::optional<int64_t> free = FreeBytes(folder);
  if (!free || *free >= needed) return "";
  return absl::StrFormat("the job writes up to %.1f MB (checkpoint and files) below %s, where %.1f MB are free",
                         needed / 1e6, folder.string(), *free / 1e6);
}

}  // namespace

std::vector<v1::Warning> DiskSpaceWarnings(const v1::Plan& plan, const fs::path& folder) {
  if (folder.empty()) return {};
  std::string shortage = Shortage(plan.disk_bytes(), folder);
  if (shortage.empty()) return {};
  return {MakeWarning("DISK_SPACE", std::move(shortage) + ": free space there before it starts", folder.string())};
}

absl::Status CheckDiskSpace(const v1::Plan& plan, const fs::path& folder) {
  const std::string shortage = Shortage(plan.disk_bytes() - BytesBelow(folder), folder);
  if (shortage.empty()) return absl::OkStatus();
  return absl::ResourceExhaustedError(shortage + ": free space there, or write to another disk");
}

}  // namespace tersor
