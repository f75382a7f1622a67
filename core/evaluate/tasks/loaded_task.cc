#include "core/evaluate/tasks/loaded_task.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "core/base/input_file.h"
#include "core/base/utf8.h"

namespace tersor {
namespace {

absl::StatusOr<std::string> ReadData(const std::filesystem::path& path) {
  TERSOR_ASSIGN_OR_RETURN(std::string text, ReadInputFile(path));
  TERSOR_RETURN_IF_ERROR(Annotate(CheckUtf8(text), path.string()));
  return text;
}

// That are not blank.
int64_t CountLines(absl::string_view text) {
  int64_t lines = 0;
  for (const absl::string_view line : absl::StrSplit(text, '\n', absl::SkipWhitespace())) lines += !line.empty();
  return lines;
}

absl::Status CheckShots(const LoadedTask& task) {
  for (const TaskItem& item : task.items) {
    int fitting = 0;
    for (const TaskShot& shot : task.shots) {
      fitting += shot.id != item.id && (!task.definition.few_shot().same_subject() || shot.group == item.group);
    }
    if (fitting >= task.few_shot) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        task.data_path.string(), ":", item.line, ": item \"", item.id, "\" needs ", task.few_shot,
        " shots, but the pool ", task.definition.few_shot().data(), " has only ", fitting,
        task.definition.few_shot().same_subject() ? absl::StrCat(" of subject \"", item.group, "\"") : ""));
  }
  return absl::OkStatus();
}

absl::Status LoadShots(const TaskLibrary& library, const FoundTask& found, LoadedTask& task) {
  if (task.few_shot == 0) return absl::OkStatus();
  if (!task.definition.has_few_shot()) {
    return absl::InvalidArgumentError(
        absl::StrCat("task ", task.definition.name(), " has no few_shot pool to take shots from"));
  }
  TERSOR_ASSIGN_OR_RETURN(const std::filesystem::path path, library.FindData(found, task.definition.few_shot().data()));
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadData(path));
  TERSOR_ASSIGN_OR_RETURN(task.shots, ReadTaskShots(task.definition, text, path.string()));
  return CheckShots(task);
}

}  // namespace

std::string LoadedTask::Preamble(const TaskItem& item) const {
  std::string text = item.description;
  int left = few_shot;
  for (const TaskShot& shot : shots) {
    if (left == 0) break;
    if (shot.id == item.id || (definition.few_shot().same_subject() && shot.group != item.group)) continue;
    absl::StrAppend(&text, shot.text, definition.few_shot().separator());
    --left;
  }
  return text;
}

std::string LoadedTask::Words() const {
  return absl::StrCat(data_path.filename().string(), ", ", items.size(), items.size() == 1 ? " item, " : " items, ",
                      few_shot, few_shot == 1 ? " shot" : " shots", chat_template ? ", in the chat template" : "");
}

absl::StatusOr<LoadedTask> LoadFoundTask(const TaskLibrary& library, FoundTask found,
                                         const v1::TaskEvaluation& evaluation) {
  if (evaluation.limit() < 0) return absl::InvalidArgumentError("limit must be 0 (all) or more");
  if (evaluation.few_shot() < 0 || evaluation.few_shot() > 100) {
    return absl::InvalidArgumentError("few_shot must be 0 .. 100");
  }
  LoadedTask task;
  task.definition = found.definition;
  task.origin = found.origin;
  task.few_shot = evaluation.has_few_shot() ? evaluation.few_shot() : found.definition.few_shot().count();
  task.chat_template = evaluation.apply_chat_template();
  TERSOR_ASSIGN_OR_RETURN(task.data_path, library.FindData(found, found.definition.data()));
  TERSOR_ASSIGN_OR_RETURN(const std::string text, ReadData(task.data_path));
  TERSOR_ASSIGN_OR_RETURN(TaskItems items,
                          ReadTaskItems(task.definition, text, task.data_path.string(), evaluation.limit()));
  task.items = std::move(items.items);
  task.skipped = items.skipped;
  task.available = CountLines(text);
  TERSOR_RETURN_IF_ERROR(LoadShots(library, found, task));
  return task;
}

absl::StatusOr<LoadedTask> LoadTask(const TaskLibrary& library, const v1::TaskEvaluation& evaluation,
                                    const std::string& ability) {
  TERSOR_ASSIGN_OR_RETURN(FoundTask found, library.FindTask(evaluation.name()));
  TERSOR_ASSIGN_OR_RETURN(LoadedTask task, LoadFoundTask(library, std::move(found), evaluation));
  task.ability = ability;
  return task;
}

}  // namespace tersor
