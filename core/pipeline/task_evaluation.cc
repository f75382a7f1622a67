#include "core/pipeline/task_evaluation.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "core/base/sha256.h"
#include "core/kernels/cpu_info.h"
#include "core/pipeline/pipeline.h"

namespace tersor {
namespace {

// Answers are bits: they belong to the model's content, the arithmetic and the program.
std::filesystem::path AnswersFolder(const std::filesystem::path& cache, const std::string& model_sha256,
                                    const ComputeOptions& compute) {
  const CpuInfo& cpu = GetCpuInfo();
  Sha256 digest;
  for (const std::string& part : {model_sha256, std::string(compute.precision == Precision::kBF16 ? "bf16" : "f32"),
                                  cpu.onednn_isa, cpu.kernel_isa, std::string(ProgramVersion())}) {
    digest.UpdateField(part);
  }
  return cache / "answers" / digest.HexDigest();
}

}  // namespace

TaskSubject::TaskSubject(std::string name, const Model& model, const std::string& model_sha256, const JobInputs& inputs,
                         const ComputeOptions& compute, const std::filesystem::path& cache)
    : name_(std::move(name)),
      model_(model),
      inputs_(inputs),
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
    return GenerateAll(model_, *inputs_.tokenizer, prompts, options, context);
  };
  return asked;
}

absl::StatusOr<v1::TaskResult> TaskSubject::Run(const LoadedTask& task, const EvaluateContext& context) {
  TERSOR_ASSIGN_OR_RETURN(AnswerStore store,
                          AnswerStore::Open(folder_ / absl::StrCat(task.definition.name(), ".jsonl")));
  return RunTask(name_, task, DescribeTaskText(inputs_), MakeTaskModel(), store, context);
}

}  // namespace tersor
