#include "core/formats/gguf_split.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace tersor {
namespace {

constexpr int64_t kMostParts = 99999;

}  // namespace

std::vector<std::filesystem::path> GgufPartPaths(const std::filesystem::path& path) {
  const std::string kFirst = "-00001-of-";
  const std::string name = path.filename().string();
  const size_t at = name.rfind(kFirst);
  int64_t count = 0;
  if (at == std::string::npos || name.size() != at + kFirst.size() + 10 || !absl::EndsWith(name, ".gguf") ||
      !absl::SimpleAtoi(name.substr(at + kFirst.size(), 5), &count) || count < 2 || count > kMostParts) {
    return {path};
  }
  std::vector<std::filesystem::path> paths = {path};
  for (int64_t part = 2; part <= count; ++part) {
    paths.push_back(path.parent_path() / absl::StrFormat("%s-%05d-of-%05d.gguf", name.substr(0, at), part, count));
  }
  return paths;
}

absl::StatusOr<GgufPart> ReadGgufPart(const GgufMetadata& metadata) {
  GgufPart part;
  TERSOR_ASSIGN_OR_RETURN(part.count, metadata.IntegerOr("split.count", 1));
  TERSOR_ASSIGN_OR_RETURN(part.number, metadata.IntegerOr("split.no", 0));
  TERSOR_ASSIGN_OR_RETURN(part.tensors, metadata.IntegerOr("split.tensors.count", -1));
  // Some tools write 0 for a whole file.
  if (part.count == 0) part.count = 1;
  if (part.count < 1 || part.count > kMostParts || part.number < 0 || part.number >= part.count) {
    return absl::InvalidArgumentError(
        absl::StrCat("split.no is ", part.number, " and split.count is ", part.count, ", which is no part of a model"));
  }
  return part;
}

}  // namespace tersor
