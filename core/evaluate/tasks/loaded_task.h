// A task as a recipe asks for it: definition, items and shots, all read and rendered.
#ifndef TERSOR_CORE_EVALUATE_TASKS_LOADED_TASK_H_
#define TERSOR_CORE_EVALUATE_TASKS_LOADED_TASK_H_

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/evaluate/tasks/task_item.h"
#include "core/evaluate/tasks/task_library.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

struct LoadedTask {
  v1::TaskDefinition definition;
  // The task's file or "built in", and its data file.
  std::string origin;
  std::filesystem::path data_path;
  // "" or the ability it counts for in its suite.
  std::string ability;
  std::vector<TaskItem> items;
  std::vector<TaskShot> shots;
  int few_shot = 0;
  bool chat_template = false;
  // Items of the data file that were left out (see TaskItems).
  int64_t skipped = 0;
  // Lines of the data file, whatever the limit.
  int64_t available = 0;

  // What stands before the item's own prompt: its description and shots.
  std::string Preamble(const TaskItem& item) const;
  // "arc_easy.jsonl, 200 items, 5 shots".
  std::string Words() const;
};

// INVALID_ARGUMENT or NOT_FOUND says what is wrong with the task, its file (with the line) or its data.
absl::StatusOr<LoadedTask> LoadTask(const TaskLibrary& library, const v1::TaskEvaluation& evaluation,
                                    const std::string& ability);
// The same for a task that was found already.
absl::StatusOr<LoadedTask> LoadFoundTask(const TaskLibrary& library, FoundTask found,
                                         const v1::TaskEvaluation& evaluation);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_LOADED_TASK_H_
