// A sweep in this process, point after point.
#ifndef TERSOR_CORE_PIPELINE_SWEEP_RUN_H_
#define TERSOR_CORE_PIPELINE_SWEEP_RUN_H_

#include "core/pipeline/pipeline.h"

namespace tersor {

// As MakePlan and RunRecipe for a recipe with `sweep`. Each point has a workspace of its own, WORKSPACE/points/NAME, so
// that a run that was broken off goes on with the points that are missing; the sweep's report goes to
// WORKSPACE/artifacts. A point that fails is told in the report and does not stop the others; where all fail, so does
// the sweep.
absl::StatusOr<PlanResult> PlanSweep(const v1::Recipe& recipe, const PipelineContext& context);
absl::StatusOr<v1::Report> RunSweep(const v1::Recipe& recipe, const RunOptions& options, EventSink& events);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_SWEEP_RUN_H_
