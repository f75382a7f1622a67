#include "core/pipeline/content_hash.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "core/base/atomic_file.h"
#include "core/base/input_file.h"
#include "core/base/sha256.h"
#include "core/formats/gguf_split.h"
#include "core/formats/json_text.h"
#include "core/model/container.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

constexpr std::array<absl::string_view, 4> kModelSuffixes = {".safetensors", ".json", ".gguf", ".model"};

bool IsModelFile(const fs::path& path) {
  const std::string name = path.filename().string();
  return std::any_of(kModelSuffixes.begin(), kModelSuffixes.end(),
                     [&](absl::string_view suffix) { return absl::EndsWith(name, suffix); });
}

absl::StatusOr<std::vector<fs::path>> ModelFiles(const fs::path& model) {
  std::error_code error;
  if (!fs::is_directory(model, error)) {
    std::vector<fs::path> parts = GgufPartPaths(model);
    // A whole file may be named as a part is; loading refuses a split model that lacks one.
    std::erase_if(parts, [&](const fs::path& part) { return part != model && !fs::exists(part, error); });
    return parts;
  }
  std::vector<fs::path> files;
  for (fs::directory_iterator entry(model, error), end; !error && entry != end; entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored) && IsModelFile(entry->path())) files.push_back(entry->path());
  }
  if (error) return absl::InternalError(absl::StrCat("listing folder: ", model.string(), ": ", error.message()));
  std::sort(files.begin(), files.end());
  return files;
}

// What tells this content of the file from any other. A writer can set the time of the last write, not the one of the
// last change.
absl::StatusOr<std::string> Identity(const fs::path& file) {
  struct stat info = {};
  if (stat(file.c_str(), &info) != 0) return ErrnoStatus(errno, "reading file", file);
  std::error_code error;
  return absl::StrCat(fs::absolute(file, error).string(), "\n", info.st_size, "\n", info.st_ino, "\n", info.st_dev,
                      "\n", info.st_mtim.tv_sec, ".", info.st_mtim.tv_nsec, "\n", info.st_ctim.tv_sec, ".",
                      info.st_ctim.tv_nsec);
}

// Whether the file was changed so lately that another change may get the same time.
bool ChangedJustNow(const fs::path& file) {
  struct stat info = {};
  if (stat(file.c_str(), &info) != 0) return true;
  return absl::Now() - absl::TimeFromTimespec(info.st_ctim) < absl::Milliseconds(20);
}

absl::StatusOr<std::string> FileDigest(const fs::path& file, const fs::path& cache_dir) {
  TERSOR_ASSIGN_OR_RETURN(const std::string identity, Identity(file));
  std::error_code error;
  const fs::path remembered = cache_dir.empty() ? fs::path() : cache_dir / "digests" / Sha256Hex(identity);
  if (!remembered.empty()) {
    absl::StatusOr<std::string> digest = ReadFile(remembered, 64);
    if (digest.ok() && digest->size() == 64) return digest;
  }
  const bool settled = !ChangedJustNow(file);
  TERSOR_ASSIGN_OR_RETURN(std::string digest, Sha256HexOfFile(file));
  TERSOR_ASSIGN_OR_RETURN(const std::string identity_after, Identity(file));
  if (!remembered.empty() && settled && identity_after == identity) {
    fs::create_directories(remembered.parent_path(), error);
    WriteFileAtomically(remembered, digest).IgnoreError();
  }
  return digest;
}

}  // namespace

absl::StatusOr<std::string> ModelContentHash(const fs::path& model, const fs::path& cache_dir) {
  TERSOR_ASSIGN_OR_RETURN(const std::vector<fs::path> files, ModelFiles(model));
  Sha256 all;
  for (const fs::path& file : files) {
    TERSOR_ASSIGN_OR_RETURN(const std::string digest, FileDigest(file, cache_dir));
    // A single file's name does not matter; in a folder it says which part this is.
    all.UpdateField(files.size() == 1 ? "" : file.filename().string());
    all.UpdateField(digest);
  }
  return all.HexDigest();
}

absl::StatusOr<std::string> ContainerContentHash(const fs::path& container) {
  constexpr uint64_t kMostBytes = uint64_t{256} << 20;
  const fs::path file = container / std::string(kContainerManifestName);
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadInputFile(file, kMostBytes));
  TERSOR_ASSIGN_OR_RETURN(nlohmann::json manifest, ParseJsonObject(text, file.string()));
  for (const char* origin : {"program_version", "recipe_sha256", "source"}) manifest.erase(origin);
  return Sha256Hex(manifest.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace tersor
