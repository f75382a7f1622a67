// What a plan said beside what came of it.
#ifndef TERSOR_CORE_PIPELINE_PLANNED_ACTUAL_H_
#define TERSOR_CORE_PIPELINE_PLANNED_ACTUAL_H_

#include <cstdint>

#include "core/model/model_spec.h"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// Fills planned_seconds and planned_peak_bytes of the report's stages.
void AddPlannedFigures(const v1::Plan& plan, v1::Report& report);

// Upper bound of a walk's checkpoints: every block's new tensors, and the residual stream of the compressed model, of
// the dense one beside it, each twice while the newer replaces the older.
int64_t CheckpointBytes(const ModelSpec& spec, int64_t compressed_bytes, int64_t calibration_tokens);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_PLANNED_ACTUAL_H_
