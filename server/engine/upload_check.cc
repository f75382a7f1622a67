#include "server/engine/upload_check.h"

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/engine/safe_path.h"

namespace tersor {
namespace {

constexpr int kMaxFiles = 10000;
// More than any file system holds; keeps sums of sizes from overflowing.
constexpr int64_t kMaxFileBytes = int64_t{1} << 45;

bool IsSha256(const std::string& text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

std::vector<FieldViolation> CheckStartUpload(const v1::StartUploadRequest& request) {
  std::vector<FieldViolation> violations;
  if (!IsSafeName(request.name())) {
    violations.push_back({"name", "use 1 to 128 letters, digits, '.', '_' or '-', not beginning with '.'"});
  }
  if (request.files().empty() || request.files_size() > kMaxFiles) {
    violations.push_back({"files", absl::StrCat("name 1 to ", kMaxFiles, " files")});
    return violations;
  }
  std::set<std::string> paths;
  for (int i = 0; i < request.files_size(); ++i) {
    const v1::FileDigest& file = request.files(i);
    const std::string field = absl::StrCat("files[", i, "]");
    if (!IsSafeRelativePath(file.path())) violations.push_back({field + ".path", "must be relative, without \"..\""});
    if (!paths.insert(file.path()).second) violations.push_back({field + ".path", "is named twice"});
    if (file.bytes() < 0 || file.bytes() > kMaxFileBytes) violations.push_back({field + ".bytes", "is out of range"});
    if (!IsSha256(file.sha256())) violations.push_back({field + ".sha256", "must be 64 lower-case hexadecimal digits"});
  }
  return violations;
}

}  // namespace tersor
