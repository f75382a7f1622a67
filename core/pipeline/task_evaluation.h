// A job's tasks, asked of its models.
#ifndef TERSOR_CORE_PIPELINE_TASK_EVALUATION_H_
#define TERSOR_CORE_PIPELINE_TASK_EVALUATION_H_

#include <filesystem>
#include <optional>
#include <string>

#include "core/evaluate/scoring_model.h"
#include "core/evaluate/tasks/task_runner.h"
#include "core/pipeline/job_inputs.h"
#include "core/pipeline/job_parts.h"

namespace tersor {

// One model under evaluation. Its weights are prepared when the first item must be asked, and stay until it goes.
// Not thread-safe.
class TaskSubject {
 public:
  // `name`: "dense", "compressed" or "baseline_model". `model_sha256` stands for the model's content: answers are kept
  // under it in `cache`. All references outlive the subject.
  TaskSubject(std::string name, const Model& model, const std::string& model_sha256, TaskText text,
              const ComputeOptions& compute, const std::filesystem::path& cache);

  const std::string& name() const { return name_; }
  absl::StatusOr<v1::TaskResult> Run(const LoadedTask& task, const EvaluateContext& context);

 private:
  TaskModel MakeTaskModel();

  std::string name_;
  const Model& model_;
  TaskText text_;
  const ComputeOptions& compute_;
  std::filesystem::path folder_;
  std::optional<ScoringModel> scoring_;
};

// `task` asked of "dense" or "compressed", whose weights go again afterwards.
absl::StatusOr<v1::TaskResult> AskTask(const JobParts& parts, absl::string_view subject, const LoadedTask& task);

// The stage that asks `subject` a task and adds the result to the report.
absl::Status RunTaskStage(const JobParts& parts, TaskSubject& subject, const LoadedTask& task);

// Every task of the job, dense and, where there is one, compressed: a stage each. Results stand in the report by
// subject, in the order of the tasks.
absl::Status EvaluateTasks(const JobParts& parts);

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_TASK_EVALUATION_H_
