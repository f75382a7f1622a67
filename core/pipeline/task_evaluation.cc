#include "core/pipeline/task_evaluation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/compare/report_side.h"
#include "core/pipeline/cache_key.h"
#include "core/pipeline/stage_list.h"

namespace tersor {
namespace {

// Answers are bits: they belong to the model's content, the arithmetic and the program.
std::filesystem::path AnswersFolder(const std::filesystem::path& cache, const std::string& model_sha256,
                                    const ComputeOptions& compute) {
  return cache / "answers" / CacheKey({model_sha256}, compute.precision);
}

// What answers are kept under.
absl::StatusOr<std::string> ContentOf(const JobParts& parts, absl::string_view name) {
  if (name == kDenseSubject) return parts.job.inputs.model_sha256;
  return parts.compressed_content();
}

absl::StatusOr<TaskSubject> SubjectOf(const JobParts& parts, absl::string_view name) {
  const JobInputs& inputs = parts.job.inputs;
  TERSOR_ASSIGN_OR_RETURN(const std::string content, ContentOf(parts, name));
  TERSOR_ASSIGN_OR_RETURN(TaskText text, DescribeTaskText(inputs.model, *inputs.tokenizer, inputs.chat_date));
  return TaskSubject(std::string(name), name == kDenseSubject ? inputs.model : parts.compressed, content,
                     std::move(text), parts.job.compute, parts.cache());
}

absl::Status EvaluateTasksOf(const JobParts& parts, absl::string_view name) {
  TERSOR_ASSIGN_OR_RETURN(TaskSubject subject, SubjectOf(parts, name));
  for (const LoadedTask& task : parts.job.inputs.tasks) {
    TERSOR_RETURN_IF_ERROR(RunTaskStage(parts, subject, task));
  }
  return absl::OkStatus();
}

}  // namespace

TaskSubject::TaskSubject(std::string name, const Model& model, const std::string& model_sha256, TaskText text,
                         const ComputeOptions& compute, const std::filesystem::path& cache)
    : name_(std::move(name)),
      model_(model),
      text_(std::move(text)),
      compute_(compute),
      folder_(AnswersFolder(cache, model_sha256, compute)) {}

TaskModel TaskSubject::MakeTaskModel() {
  TaskModel asked;
  asked.score = [this](std::span<const ContinuationRequest> requests, const ContinuationOptions& options,
                       const EvaluateContext& context) -> absl::StatusOr<std::vector<ContinuationScore>> {
    if (!scoring_.has_value()) {
      TERSOR_ASSIGN_OR_RETURN(scoring_, PrepareScoring(model_, compute_));
    }
    return ScoreContinuations(*scoring_, requests, options, context);
  };
  asked.generate = [this](std::span<const std::vector<int32_t>> prompts, BatchGenerateOptions options,
                          const EvaluateContext& context) {
    options.compute = compute_;
    options.end_ids = text_.end_ids;
    return GenerateAll(model_, *text_.tokenizer, prompts, options, context);
  };
  return asked;
}

absl::StatusOr<v1::TaskResult> TaskSubject::Run(const LoadedTask& task, const EvaluateContext& context) {
  TERSOR_ASSIGN_OR_RETURN(AnswerStore store,
                          AnswerStore::Open(folder_ / absl::StrCat(task.definition.name(), ".jsonl")));
  return RunTask(name_, task, text_, MakeTaskModel(), store, context);
}

absl::StatusOr<v1::TaskResult> AskTask(const JobParts& parts, absl::string_view subject, const LoadedTask& task) {
  TERSOR_ASSIGN_OR_RETURN(TaskSubject asked, SubjectOf(parts, subject));
  return asked.Run(task, parts.context("items"));
}

absl::Status RunTaskStage(const JobParts& parts, TaskSubject& subject, const LoadedTask& task) {
  return parts.run_stage(TaskStageName(subject.name(), task), [&](v1::StageReport& stage) -> absl::Status {
    TERSOR_ASSIGN_OR_RETURN(const v1::TaskResult result, subject.Run(task, parts.context("items")));
    *parts.report.add_tasks() = result;
    if (result.cached() == 0) return absl::OkStatus();
    parts.Tell(absl::StrCat(TaskLabel(task), ", ", subject.name(), ": ", result.cached(), " of ", result.items_size(),
                            " items answered from the cache"));
    stage.set_reused(result.cached() == result.items_size());
    stage.set_seconds(result.seconds());
    return absl::OkStatus();
  });
}

absl::Status EvaluateTasks(const JobParts& parts) {
  if (parts.job.inputs.tasks.empty()) return absl::OkStatus();
  TERSOR_RETURN_IF_ERROR(EvaluateTasksOf(parts, kDenseSubject));
  return Compresses(parts.recipe) ? EvaluateTasksOf(parts, kCompressedSubject) : absl::OkStatus();
}

}  // namespace tersor
