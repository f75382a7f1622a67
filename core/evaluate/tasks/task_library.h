// Which tasks and suites there are, and where their data is.
#ifndef TERSOR_CORE_EVALUATE_TASKS_TASK_LIBRARY_H_
#define TERSOR_CORE_EVALUATE_TASKS_TASK_LIBRARY_H_

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/evaluate/tasks/task_definition.h"

namespace tersor {

// A YAML file that the program carries.
struct BuiltinFile {
  absl::string_view name;
  absl::string_view text;
};
std::span<const BuiltinFile> BuiltinTaskFiles();
std::span<const BuiltinFile> BuiltinSuiteFiles();

// TERSOR_TASK_PATH's folders (colon-separated).
std::vector<std::filesystem::path> DefaultTaskPaths();

struct FoundTask {
  v1::TaskDefinition definition;
  // The file, or "built in".
  std::string origin;
  // The file's folder; empty where built in.
  std::filesystem::path folder;
};

// Immutable after construction but for the file system under it; thread-safe.
class TaskLibrary {
 public:
  // Task files lie in `task_paths` and in tasks/ of each of `data_paths`, data sets in tasks/ and samples/.
  explicit TaskLibrary(std::vector<std::filesystem::path> data_paths,
                       std::vector<std::filesystem::path> task_paths = {});

  // NAME.yaml in the folders, then the built-in one. A name is not a path. NOT_FOUND lists what there is;
  // INVALID_ARGUMENT lists a file's faults with their lines.
  absl::StatusOr<FoundTask> FindTask(absl::string_view name) const;
  absl::StatusOr<v1::SuiteDefinition> FindSuite(absl::string_view name) const;
  // Names, sorted.
  std::vector<std::string> TaskNames() const;
  std::vector<std::string> SuiteNames() const;

  // The data set `data` of `task`: DATA.jsonl beside the task's file, then tasks/ and samples/ of the data paths.
  // NOT_FOUND lists where it looked.
  absl::StatusOr<std::filesystem::path> FindData(const FoundTask& task, absl::string_view data) const;

 private:
  std::vector<std::filesystem::path> data_paths_;
  std::vector<std::filesystem::path> folders_;
};

// A task file by its path, for `tersor tasks validate`.
absl::StatusOr<FoundTask> ReadTaskFile(const std::filesystem::path& path);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_TASK_LIBRARY_H_
