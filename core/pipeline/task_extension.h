// Going on with further items of a job's tasks where a gate on them is not decided.
#ifndef TERSOR_CORE_PIPELINE_TASK_EXTENSION_H_
#define TERSOR_CORE_PIPELINE_TASK_EXTENSION_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/evaluate/gates.h"
#include "core/evaluate/tasks/loaded_task.h"
#include "core/pipeline/job_parts.h"
#include "tersor/v1/recipe.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

struct Extending {
  // The tasks with all items that their data has, in the order of the report's results.
  const std::vector<LoadedTask>& whole;
  // Asks "dense" or "compressed" the items of `task`; answers known from before are not asked again.
  std::function<absl::StatusOr<v1::TaskResult>(absl::string_view subject, const LoadedTask& task)> ask;
  // Told before a task goes on.
  std::function<void(const std::string& message)> tell = [](const std::string&) {};
  const BaselineReports& baselines;
};

// Doubles the items of the tasks that undecided gates rest on until every gate is decided or the sets are used up.
// Replaces the tasks' results in `report` and puts the gates on tasks, with their looks, into it. Gates that compare
// with earlier jobs are judged on the items that these have: those of the first look.
absl::Status ExtendUntilDecided(const v1::Recipe& recipe, const Extending& extending, v1::Report& report);

// The same as a stage of the job, where its recipe asks for it and a gate rests on tasks.
absl::Status ExtendTasks(const JobParts& parts);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_TASK_EXTENSION_H_
