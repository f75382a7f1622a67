// How fast a job's models are, and what they take in memory.
#ifndef TERSOR_CORE_PIPELINE_PERFORMANCE_EVALUATION_H_
#define TERSOR_CORE_PIPELINE_PERFORMANCE_EVALUATION_H_

#include "core/base/status.h"
#include "core/pipeline/job_parts.h"
#include "tersor/v1/plan.pb.h"

namespace tersor {

// Adds its stage to the plan; nothing where the recipe measures no performance.
void PlanPerformance(const v1::Recipe& recipe, const JobInputs& inputs, int threads, const v1::KvCacheResult& cache,
                     v1::Plan& plan);

// The dense model, the compressed one and the baseline model, where there are such, made ready one after another (what
// the process's memory grows by is measured meanwhile), then timed in turns.
absl::Status EvaluatePerformance(const JobParts& parts);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_PERFORMANCE_EVALUATION_H_
