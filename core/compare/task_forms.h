// Tasks told apart from the same tasks asked otherwise: with other shots, in the chat template, on other items.
#ifndef TERSOR_CORE_COMPARE_TASK_FORMS_H_
#define TERSOR_CORE_COMPARE_TASK_FORMS_H_

#include <set>
#include <string>
#include <vector>

#include "tersor/v1/report.pb.h"

namespace tersor {

// Whether prompts stood in the model's chat template: as LoadedTask::Words has it.
bool InChatTemplate(const v1::TaskResult& result);

struct TaskForm {
  // "piqa"; where there are several forms "piqa:0shot", "piqa:5shot:chat", or what else tells them apart.
  std::string label = {};
  std::string task = {};
  // Protocol hashes of the results that belong to it.
  std::set<std::string> hashes = {};

  bool Has(const v1::TaskResult& result) const { return result.task() == task && hashes.count(result.hash()) > 0; }
};

// One a task and protocol hash, in the order in which `results` first have them; labels are different.
std::vector<TaskForm> TaskForms(const std::vector<const v1::TaskResult*>& results);

// The same with hashes thrown together that are the same form of a task under different protocols: all hashes of a task
// of which no model has more than one, else those with the same shots and use of the chat template. A vector a model.
std::vector<TaskForm> MergedTaskForms(const std::vector<std::vector<const v1::TaskResult*>>& models);

}  // namespace tersor

#endif  // TERSOR_CORE_COMPARE_TASK_FORMS_H_
