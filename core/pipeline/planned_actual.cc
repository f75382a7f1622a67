#include "core/pipeline/planned_actual.h"

#include <map>
#include <string>

namespace tersor {

void AddPlannedFigures(const v1::Plan& plan, v1::Report& report) {
  // Stages of one name stand in the same order in both.
  std::map<std::string, int> seen;
  for (v1::StageReport& stage : *report.mutable_stages()) {
    int before = seen[stage.name()]++;
    for (const v1::PlannedStage& planned : plan.stages()) {
      if (planned.name() != stage.name() || before-- > 0) continue;
      stage.set_planned_seconds(planned.seconds());
      stage.set_planned_peak_bytes(planned.peak_memory_bytes());
      break;
    }
  }
}

}  // namespace tersor
