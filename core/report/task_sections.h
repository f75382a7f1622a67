// The parts of a report about tasks.
#ifndef TERSOR_CORE_REPORT_TASK_SECTIONS_H_
#define TERSOR_CORE_REPORT_TASK_SECTIONS_H_

#include <vector>

#include "core/report/report_sections.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// One task's main metric, dense and compressed under one protocol; either may be null, not both. Points into the
// report.
struct TaskRow {
  const v1::TaskResult* dense = nullptr;
  const v1::TaskResult* compressed = nullptr;
  const v1::TaskResult& any() const { return compressed == nullptr ? *dense : *compressed; }
};
std::vector<TaskRow> TaskRows(const v1::Report& report);
// "mmlu", or "mmlu:5shot" where the report has several forms of the task. `hash`: as the dense or compressed model has
// it.
std::string TaskLabelOf(const v1::Report& report, const std::string& task, const std::string& hash);

// "0.652 +-0.0337", the error where there is one.
std::string MetricText(const v1::TaskResult::Metric& metric);

// A row a task and metric; empty where there are no tasks.
ReportSection TasksSection(const v1::Report& report);
// A row a subject of tasks whose items have them, by the task's main metric.
ReportSection TaskGroupsSection(const v1::Report& report);
// A row an ability.
ReportSection AbilitiesSection(const v1::Report& report);

// "KEPT", "DAMAGED", ...
absl::string_view AbilityWord(v1::AbilityOutcome outcome);

}  // namespace tersor

#endif  // TERSOR_CORE_REPORT_TASK_SECTIONS_H_
