// One question of a task, rendered: what is put to the model and what is right.
#ifndef TERSOR_CORE_EVALUATE_TASKS_TASK_ITEM_H_
#define TERSOR_CORE_EVALUATE_TASKS_TASK_ITEM_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "tersor/v1/task.pb.h"

namespace tersor {

struct TaskItem {
  std::string id;
  // `subject`; may be empty.
  std::string group;
  // Stands before the shots, and is not a part of `prompts`.
  std::string description;
  // One, or one a choice.
  std::vector<std::string> prompts;
  // As the data has them; empty but for the scorer of choices.
  std::vector<std::string> choices;
  // What is scored: one a choice, or the target; empty for generation.
  std::vector<std::string> continuations;
  // Right choices, rising.
  std::vector<int> gold;
  // The target as the data has it, and every accepted answer (the target where the data lists none).
  std::string target;
  std::vector<std::string> answers;
  // Line of the data file, from 1.
  int64_t line = 0;

  const std::string& prompt(size_t choice) const { return prompts.size() == 1 ? prompts[0] : prompts[choice]; }
};

struct TaskItems {
  std::vector<TaskItem> items;
  // Items left out because two of their choices are the same question.
  int64_t skipped = 0;
};

// Renders JSON Lines by the definition's template; at most `limit` items (0: all). INVALID_ARGUMENT names `where`, the
// line and the field: no JSON object, a field that is missing or of the wrong type, a gold index out of range, an empty
// choice or target, an id that stands twice; or that there are no items.
absl::StatusOr<TaskItems> ReadTaskItems(const v1::TaskDefinition& definition, absl::string_view json_lines,
                                        absl::string_view where, int64_t limit);

// A shot: the prompt and its right continuation. The same reader with the same faults.
struct TaskShot {
  std::string id;
  std::string group;
  std::string text;
};
absl::StatusOr<std::vector<TaskShot>> ReadTaskShots(const v1::TaskDefinition& definition, absl::string_view json_lines,
                                                    absl::string_view where);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_TASK_ITEM_H_
