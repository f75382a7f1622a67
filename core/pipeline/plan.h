// A recipe with everything it names read and everything it will do known.
#ifndef TERSOR_CORE_PIPELINE_PLAN_H_
#define TERSOR_CORE_PIPELINE_PLAN_H_

#include "core/compress/compress_model.h"
#include "core/pipeline/job_inputs.h"
#include "core/pipeline/pipeline.h"

namespace tersor {

// What MakePlan computes and RunRecipe goes on with.
struct PlannedJob {
  PlanResult result;
  JobInputs inputs;
  ComputeOptions compute;
};

// What it is, for plans and reports.
v1::ModelInfo DescribeModel(const Model& model);

absl::StatusOr<PlannedJob> PlanJob(const v1::Recipe& recipe, const PipelineContext& context);

// Of the recipe without its description and its model's path.
std::string RecipeSha256(const v1::Recipe& recipe);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_PLAN_H_
