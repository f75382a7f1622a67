// What a plan said beside what came of it.
#ifndef TERSOR_CORE_PIPELINE_PLANNED_ACTUAL_H_
#define TERSOR_CORE_PIPELINE_PLANNED_ACTUAL_H_

#include "tersor/v1/plan.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Fills planned_seconds and planned_peak_bytes of the report's stages.
void AddPlannedFigures(const v1::Plan& plan, v1::Report& report);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_PLANNED_ACTUAL_H_
