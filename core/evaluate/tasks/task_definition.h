// Task and suite files: YAML read into messages and checked.
#ifndef TERSOR_CORE_EVALUATE_TASKS_TASK_DEFINITION_H_
#define TERSOR_CORE_EVALUATE_TASKS_TASK_DEFINITION_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "core/base/status.h"
#include "core/yaml/source_map.h"
#include "tersor/v1/task.pb.h"

namespace tersor {

struct TaskFile {
  v1::TaskDefinition definition;
  // What is wrong with it, in the order of the file; the definition may be used only where there is nothing.
  std::vector<DocumentFault> faults;
};

// `name` is what the file is called without .yaml: the task's name. Absent keys get their defaults (data, separator,
// max_tokens).
TaskFile ParseTask(absl::string_view yaml, absl::string_view name);

struct SuiteFile {
  v1::SuiteDefinition definition;
  std::vector<DocumentFault> faults;
};
SuiteFile ParseSuite(absl::string_view yaml, absl::string_view name);

// INVALID_ARGUMENT lists the faults, "WHERE:LINE:COLUMN: field: what", one a line. OK where there are none.
absl::Status FaultsToStatus(absl::string_view where, const std::vector<DocumentFault>& faults);

// The abilities that suites may name.
std::vector<std::string> AbilityNames();

// "choices", "cloze", "first_token", "generate".
absl::string_view ScorerName(v1::TaskScorer scorer);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_TASK_DEFINITION_H_
