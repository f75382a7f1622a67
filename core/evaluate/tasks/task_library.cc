#include "core/evaluate/tasks/task_library.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/input_file.h"
#include "core/base/nearest_name.h"

namespace tersor {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMostBytes = uint64_t{1} << 20;
// A suite's file stands beside task files under this name.
constexpr absl::string_view kSuiteSuffix = ".suite.yaml";
constexpr absl::string_view kTaskSuffix = ".yaml";

bool IsFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

bool IsName(absl::string_view name) {
  return !name.empty() && name.front() != '.' && name.find_first_of(absl::string_view("/\\\0", 3)) == name.npos;
}

fs::path FirstFile(const std::vector<fs::path>& folders, absl::string_view name, absl::string_view suffix) {
  for (const fs::path& folder : folders) {
    if (fs::path path = folder / absl::StrCat(name, suffix); IsFile(path)) return path;
  }
  return {};
}

const BuiltinFile* FindBuiltin(std::span<const BuiltinFile> files, absl::string_view name) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const BuiltinFile& f) { return f.name == name; });
  return found == files.end() ? nullptr : &*found;
}

std::vector<std::string> Names(std::span<const BuiltinFile> builtin, const std::vector<fs::path>& folders,
                               bool suites) {
  std::set<std::string> names;
  for (const BuiltinFile& file : builtin) names.emplace(file.name);
  for (const fs::path& folder : folders) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      std::string name = entry->path().filename().string();
      const bool suite = name.ends_with(std::string(kSuiteSuffix));
      if (suite != suites || !name.ends_with(std::string(kTaskSuffix)) || !IsFile(entry->path())) continue;
      names.insert(name.substr(0, name.size() - (suite ? kSuiteSuffix : kTaskSuffix).size()));
    }
  }
  return {names.begin(), names.end()};
}

absl::StatusOr<FoundTask> CheckedTask(absl::string_view text, absl::string_view name, std::string origin,
                                      fs::path folder) {
  TaskFile file = ParseTask(text, name);
  TERSOR_RETURN_IF_ERROR(FaultsToStatus(origin, file.faults));
  return FoundTask{std::move(file.definition), std::move(origin), std::move(folder)};
}

}  // namespace

std::vector<fs::path> DefaultTaskPaths() {
  std::vector<fs::path> folders;
  if (const char* variable = std::getenv("TERSOR_TASK_PATH"); variable != nullptr) {
    for (absl::string_view folder : absl::StrSplit(variable, ':', absl::SkipEmpty())) {
      folders.emplace_back(std::string(folder));
    }
  }
  return folders;
}

TaskLibrary::TaskLibrary(std::vector<fs::path> data_paths, std::vector<fs::path> task_paths)
    : data_paths_(std::move(data_paths)), folders_(std::move(task_paths)) {
  for (const fs::path& data : data_paths_) folders_.push_back(data / "tasks");
}

absl::StatusOr<FoundTask> TaskLibrary::FindTask(absl::string_view name) const {
  if (IsName(name)) {
    if (fs::path path = FirstFile(folders_, name, kTaskSuffix); !path.empty()) return ReadTaskFile(path);
    if (const BuiltinFile* file = FindBuiltin(BuiltinTaskFiles(), name)) {
      return CheckedTask(file->text, name, "built in", {});
    }
  }
  return absl::NotFoundError(UnknownName("task", name, TaskNames()));
}

absl::StatusOr<v1::SuiteDefinition> TaskLibrary::FindSuite(absl::string_view name) const {
  const fs::path path = IsName(name) ? FirstFile(folders_, name, kSuiteSuffix) : fs::path();
  const BuiltinFile* builtin = FindBuiltin(BuiltinSuiteFiles(), name);
  if (path.empty() && builtin == nullptr) return absl::NotFoundError(UnknownName("suite", name, SuiteNames()));
  std::string text;
  if (path.empty()) {
    text = std::string(builtin->text);
  } else {
    TERSOR_ASSIGN_OR_RETURN(text, ReadInputFile(path, kMostBytes));
  }
  SuiteFile file = ParseSuite(text, name);
  TERSOR_RETURN_IF_ERROR(FaultsToStatus(path.empty() ? "built in" : path.string(), file.faults));
  return std::move(file.definition);
}

std::vector<std::string> TaskLibrary::TaskNames() const { return Names(BuiltinTaskFiles(), folders_, false); }

std::vector<std::string> TaskLibrary::SuiteNames() const { return Names(BuiltinSuiteFiles(), folders_, true); }

absl::StatusOr<fs::path> TaskLibrary::FindData(const FoundTask& task, absl::string_view data) const {
  std::vector<std::string> looked;
  std::string other_form;
  std::vector<fs::path> folders;
  if (!task.folder.empty()) folders.push_back(task.folder);
  for (const fs::path& path : data_paths_) {
    folders.push_back(path / "tasks");
    folders.push_back(path / "samples");
  }
  for (const fs::path& folder : folders) {
    const fs::path path = folder / absl::StrCat(data, ".jsonl");
    if (IsFile(path)) return path;
    looked.push_back(path.string());
    if (const fs::path parquet = folder / absl::StrCat(data, ".parquet"); IsFile(parquet)) {
      other_form = absl::StrCat(". ", parquet.string(),
                                " is there, but data sets are read as JSON Lines alone: "
                                "docs/evaluation.md has the line that turns one into the other");
    }
  }
  if (looked.empty()) looked.push_back("nowhere (TERSOR_DATA_PATH names no folder)");
  return absl::NotFoundError(absl::StrCat("task ", task.definition.name(), " needs the data set ", data,
                                          "; looked for ", absl::StrJoin(looked, ", "),
                                          ". Put it there, or set TERSOR_DATA_PATH", other_form));
}

absl::StatusOr<FoundTask> ReadTaskFile(const fs::path& path) {
  if (path.extension() != std::string(kTaskSuffix)) {
    return absl::InvalidArgumentError(absl::StrCat(path.string(), ": a task's file is called NAME.yaml"));
  }
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadInputFile(path, kMostBytes));
  return CheckedTask(text, path.stem().string(), path.string(), path.parent_path());
}

}  // namespace tersor
