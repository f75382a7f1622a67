// The evaluation's part of a plan: its stages with their time and memory.
#ifndef TERSOR_CORE_PIPELINE_PLAN_EVALUATION_H_
#define TERSOR_CORE_PIPELINE_PLAN_EVALUATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/compute_options.h"
#include "core/pipeline/cost_model.h"
#include "core/pipeline/job_inputs.h"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

void AddPlannedStage(v1::Plan& plan, const std::string& name, const StageCost& cost, const std::string& detail);

// Tokens that a perplexity reads, as far as the text's bytes tell: English has about four bytes a token.
int64_t PerplexityTokens(const PerplexityInput& input);
// The same, whatever the number of windows is limited to.
int64_t WholeTextTokens(const PerplexityInput& input);

// Adds every stage of the recipe's evaluation, in the order in which they run. `cache`: the compressed model's;
// `loss_parts`: what is rounded alone (SplitParts).
void PlanEvaluation(const v1::Recipe& recipe, const JobInputs& inputs, const ComputeOptions& compute,
                    const v1::KvCacheResult& cache, const std::vector<std::string>& loss_parts, v1::Plan& plan);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_PLAN_EVALUATION_H_
