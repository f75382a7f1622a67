#include "core/calibration/dataset.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/input_file.h"
#include "core/base/utf8.h"
#include "core/calibration/task_text.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

// Where a data folder keeps a kind of data set.
struct DatasetKind {
  const char* folder;
  const char* extension;
};

constexpr DatasetKind kKinds[] = {{"text", ".txt"}, {"tasks", ".jsonl"}};

bool IsFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

fs::path DatasetPath(const fs::path& data, const DatasetKind& kind, absl::string_view name) {
  return data / kind.folder / absl::StrCat(name, kind.extension);
}

void CollectNames(const fs::path& folder, const char* extension, std::set<std::string>& names) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == extension && IsFile(entry->path())) names.insert(entry->path().stem().string());
  }
}

absl::Status NoSuchName(absl::string_view name, const std::vector<fs::path>& data_paths) {
  std::vector<std::string> looked;
  for (const fs::path& data : data_paths) {
    for (const DatasetKind& kind : kKinds) looked.push_back(DatasetPath(data, kind, name).string());
  }
  if (looked.empty()) looked.push_back("nowhere (TERSOR_DATA_PATH names no folder)");
  std::vector<std::string> known = ListDatasets(data_paths);
  const std::string remedy =
      known.empty()
          ? "none. Name a file, set TERSOR_DATA_PATH, or let scripts/fetch_text.sh make a text of a Debian manual"
          : absl::StrJoin(known, ", ") + ". Name one of them or a file, or set TERSOR_DATA_PATH";
  return absl::NotFoundError(
      absl::StrCat("no data set \"", name, "\"; looked for ", absl::StrJoin(looked, ", "), "; there are: ", remedy));
}

absl::StatusOr<fs::path> FindFile(absl::string_view name, const std::vector<fs::path>& data_paths) {
  fs::path path{std::string(name)};
  if (IsFile(path)) return path;
  std::error_code error;
  if (fs::exists(path, error)) return absl::InvalidArgumentError(absl::StrCat("data set ", name, " is not a file"));
  std::vector<std::string> known = ListDatasets(data_paths);
  if (known.empty()) known.push_back("none");
  return absl::NotFoundError(
      absl::StrCat("data set ", name, ": there is no such file; by name there are: ", absl::StrJoin(known, ", ")));
}

}  // namespace

std::vector<fs::path> DefaultDataPaths() {
  std::vector<fs::path> paths;
  if (const char* variable = std::getenv("TERSOR_DATA_PATH"); variable != nullptr) {
    for (absl::string_view folder : absl::StrSplit(variable, ':', absl::SkipEmpty())) {
      paths.emplace_back(std::string(folder));
    }
    return paths;
  }
  std::error_code error;
  if (const fs::path shared = TERSOR_SHARED_DATA; fs::is_directory(shared, error)) {
    paths.push_back(shared.lexically_normal());
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    paths.push_back(fs::path(home) / ".cache/tersor/data");
  }
  return paths;
}

absl::StatusOr<fs::path> FindDataset(absl::string_view name, const std::vector<fs::path>& data_paths) {
  if (name.empty() || absl::StrContains(name, '\0')) {
    return absl::InvalidArgumentError("a data set's name is empty or holds a zero byte");
  }
  if (absl::StrContains(name, '/')) return FindFile(name, data_paths);
  for (const fs::path& data : data_paths) {
    for (const DatasetKind& kind : kKinds) {
      if (fs::path path = DatasetPath(data, kind, name); IsFile(path)) return path;
    }
  }
  if (fs::path path{std::string(name)}; IsFile(path)) return path;
  return NoSuchName(name, data_paths);
}

absl::StatusOr<std::string> ReadText(const fs::path& path) {
  if (!IsFile(path)) return absl::NotFoundError(absl::StrCat("data set ", path.string(), ": there is no such file"));
  TERSOR_ASSIGN_OR_RETURN(std::string text, ReadInputFile(path));
  TERSOR_RETURN_IF_ERROR(Annotate(CheckUtf8(text), absl::StrCat("data set ", path.string())));
  if (path.extension() == ".jsonl") {
    TERSOR_ASSIGN_OR_RETURN(text, TaskText(text, path.string()));
  }
  if (text.empty()) return absl::InvalidArgumentError(absl::StrCat("data set ", path.string(), " is empty"));
  return text;
}

std::vector<std::string> ListDatasets(const std::vector<fs::path>& data_paths) {
  std::set<std::string> names;
  for (const fs::path& data : data_paths) {
    for (const DatasetKind& kind : kKinds) CollectNames(data / kind.folder, kind.extension, names);
  }
  return {names.begin(), names.end()};
}

}  // namespace tersor
