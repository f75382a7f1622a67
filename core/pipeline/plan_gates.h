// The gates' part of a plan: whether what is planned can decide them.
#ifndef TERSOR_CORE_PIPELINE_PLAN_GATES_H_
#define TERSOR_CORE_PIPELINE_PLAN_GATES_H_

#include <vector>

#include "core/base/field_violation.h"
#include "core/evaluate/gate_syntax.h"
#include "core/pipeline/job_inputs.h"
#include "tersor/v1/plan.pb.h"
#include "tersor/v1/recipe.pb.h"

namespace tersor {

// Appends gates on a task, an ability or a task's metric that the tasks, now that they are read, do not have. Says
// nothing of gates that are faulty already, nor of any where `violations` tell that tasks could not be read.
void CheckGateSubjects(const v1::Recipe& recipe, const JobInputs& inputs, std::vector<FieldViolation>& violations);

// Whether the task's items are what the gate rests on.
bool RestsOn(const Gate& gate, const LoadedTask& task);

// Sets the plan's powers and warns of gates that what is planned will hardly decide. The evaluation's stages are in
// the plan.
void PlanGatePower(const v1::Recipe& recipe, const JobInputs& inputs, v1::Plan& plan);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_PLAN_GATES_H_
