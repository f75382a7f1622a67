// Puts a task's items to a model and sums up what it answers.
#ifndef TERSOR_CORE_EVALUATE_TASKS_TASK_RUNNER_H_
#define TERSOR_CORE_EVALUATE_TASKS_TASK_RUNNER_H_

#include <functional>
#include <string>

#include "core/base/status.h"
#include "core/evaluate/batch_generator.h"
#include "core/evaluate/continuation_scorer.h"
#include "core/evaluate/evaluate_context.h"
#include "core/evaluate/tasks/answer_store.h"
#include "core/evaluate/tasks/encoded_item.h"
#include "core/evaluate/tasks/loaded_task.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// The model that is asked; both are called only where there is something to ask. Tests answer by rule.
struct TaskModel {
  std::function<absl::StatusOr<std::vector<ContinuationScore>>(std::span<const ContinuationRequest>,
                                                               const ContinuationOptions&, const EvaluateContext&)>
      score;
  // The options' compute settings are the function's own business.
  std::function<absl::StatusOr<std::vector<GeneratedText>>(std::span<const std::vector<int32_t>>,
                                                           const BatchGenerateOptions&, const EvaluateContext&)>
      generate;
};

// SHA-256 over all that a score depends on but the model: definition, rendered items and shots, tokenizer, template.
std::string TaskProtocolHash(const LoadedTask& task, const TaskText& text);

// `subject`: "dense" or "compressed". Every answer goes to `store` as it comes; what `store` knows is not asked again.
// Progress counts items. INVALID_ARGUMENT names the item that cannot be put into tokens, or that the template refuses.
absl::StatusOr<v1::TaskResult> RunTask(absl::string_view subject, const LoadedTask& task, const TaskText& text,
                                       const TaskModel& model, AnswerStore& store, const EvaluateContext& context);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_TASK_RUNNER_H_
