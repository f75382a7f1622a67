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
#include "core/evaluate/tasks/loaded_task.h"
#include "core/tokenizer/tokenizer.h"
#include "tersor/v1/report.pb.h"

namespace tersor {

// The model's side of the texts: what turns them into ids.
struct TaskText {
  // Not owned.
  const Tokenizer* tokenizer = nullptr;
  // BOS, else EOS, else -1: stands for an empty context.
  int64_t prefix_id = -1;
  // Tokens that the model can read; 0 where unknown.
  int64_t context_length = 0;
  // Puts a user's message into the chat template, up to where the assistant's answer begins; null where the model has
  // no template. `template_sha256` stands for it in hashes.
  std::function<absl::StatusOr<std::string>(absl::string_view)> chat = nullptr;
  std::string template_sha256;
};

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
// Progress counts items. INVALID_ARGUMENT names the item whose target has no tokens, or that the template refuses.
absl::StatusOr<v1::TaskResult> RunTask(absl::string_view subject, const LoadedTask& task, const TaskText& text,
                                       const TaskModel& model, AnswerStore& store, const EvaluateContext& context);

}  // namespace tersor

#endif  // TERSOR_CORE_EVALUATE_TASKS_TASK_RUNNER_H_
