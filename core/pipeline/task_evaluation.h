// A job's tasks, asked of the dense and of the compressed model.
#ifndef TERSOR_CORE_PIPELINE_TASK_EVALUATION_H_
#define TERSOR_CORE_PIPELINE_TASK_EVALUATION_H_

#include <filesystem>
#include <optional>
#include <string>

#include "core/evaluate/scoring_model.h"
#include "core/evaluate/tasks/task_runner.h"
#include "core/pipeline/job_inputs.h"

namespace tersor {

// One model under evaluation. Its weights are prepared when the first item must be asked, and stay until it goes.
// Not thread-safe.
class TaskSubject {
 public:
  // `name`: "dense" or "compressed". `model_sha256` stands for the model's content: answers are kept under it in
  // `cache`. All references outlive the subject.
  TaskSubject(std::string name, const Model& model, const std::string& model_sha256, const JobInputs& inputs,
              const ComputeOptions& compute, const std::filesystem::path& cache);

  const std::string& name() const { return name_; }
  absl::StatusOr<v1::TaskResult> Run(const LoadedTask& task, const EvaluateContext& context);

 private:
  TaskModel MakeTaskModel();

  std::string name_;
  const Model& model_;
  const JobInputs& inputs_;
  const ComputeOptions& compute_;
  std::filesystem::path folder_;
  std::optional<ScoringModel> scoring_;
};

}  // namespace tersor

#endif  // TERSOR_CORE_PIPELINE_TASK_EVALUATION_H_
