// The recipe's `evaluate.baseline_model`: a smaller dense rival, measured on the same texts and tasks.
#ifndef TERSOR_CORE_PIPELINE_BASELINE_MODEL_H_
#define TERSOR_CORE_PIPELINE_BASELINE_MODEL_H_

#include <vector>

#include "core/base/field_violation.h"
#include "core/base/status.h"
#include "core/pipeline/job_inputs.h"
#include "core/pipeline/job_parts.h"
#include "tersor/v1/plan.pb.h"

namespace tersor {

// Reads it into `inputs`, whose perplexities and tasks are read already. Faults are those of the path, of a protocol
// or a prompt to be timed that the model's context is too short for, and of a chat template that it lacks; a tokenizer
// of its own earns the warning TOKENIZERS_DIFFER.
void ReadBaselineModel(const v1::Recipe& recipe, const PipelineContext& context, JobInputs& inputs,
                       std::vector<FieldViolation>& violations);

// Adds its stages to the plan; nothing where the recipe names none.
void PlanBaselineModel(const JobInputs& inputs, int threads, v1::Plan& plan);

// Its results, with the subject "baseline_model", and what it is. Tasks are asked on the items that the job's other
// models were asked in the end.
absl::Status EvaluateBaselineModel(const JobParts& parts);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_BASELINE_MODEL_H_
