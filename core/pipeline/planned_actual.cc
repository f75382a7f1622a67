#include "core/pipeline/planned_actual.h"

namespace tersor {

void AddPlannedFigures(const v1::Plan& plan, v1::Report& report) {
  for (v1::StageReport& stage : *report.mutable_stages()) {
    for (const v1::PlannedStage& planned : plan.stages()) {
      if (planned.name() != stage.name()) continue;
      stage.set_planned_seconds(planned.seconds());
      stage.set_planned_peak_bytes(planned.peak_memory_bytes());
      break;
    }
  }
}

int64_t CheckpointBytes(const ModelSpec& spec, int64_t compressed_bytes, int64_t calibration_tokens) {
  return compressed_bytes + 4 * calibration_tokens * spec.width * int64_t{sizeof(float)};
}

}  // namespace tersor
